// The posts. While somebody reads (scrolled down, or the pointer over a post), new ones
// wait behind a button, so that nothing moves under the eyes. Texts are put in as text,
// never as HTML.
export default {
  template: `
    <div class="rk-posts-frame">
      <transition name="rk-fade">
        <button v-if="waiting" type="button" class="rk-waiting" @click="release">
          {{ waiting >= posts.length ? 'New posts' : waiting + (waiting === 1 ? ' new post' : ' new posts') }} ↑
        </button>
      </transition>
      <div class="rk-posts" ref="scroll" tabindex="0" aria-label="Matched posts"
           @scroll.passive="scrolled" @mouseenter="over = true" @mouseleave="left">
        <article v-for="post in shown" :key="post.key" class="rk-post" :data-id="post.id">
          <div class="rk-avatar" :style="{ '--hue': post.hue }" aria-hidden="true">{{ post.initial }}</div>
          <div class="rk-post-main">
            <header>
              <b>{{ post.name }}</b><span v-if="post.handle" class="rk-muted">{{ post.handle }}</span>
              <a v-if="post.url" :href="post.url" target="_blank" rel="noopener noreferrer nofollow"
                 class="rk-time" :title="post.moment">{{ post.time }} ↗</a>
              <time v-else class="rk-time" :title="post.moment">{{ post.time }}</time>
            </header>
            <p class="rk-text" dir="auto"><template v-for="(part, i) in post.parts" :key="i"><mark
              v-if="part.c !== undefined" :class="'rk-m' + part.c" :title="part.r">{{ part.t }}</mark><template
              v-else>{{ part.t }}</template></template></p>
            <footer>
              <span class="rk-tag" :class="'rk-' + post.sentiment">{{ post.sentiment }}</span>
              <span class="rk-tag">{{ post.source }}</span>
              <span class="rk-tag" v-if="post.language">{{ post.language }}</span>
              <button v-for="rule in post.rules" :key="rule.id" type="button" class="rk-tag rk-tag-rule"
                      :title="'Only ' + rule.id" @click="$emit('choose', rule.id)"><i
                      :class="'rk-dot rk-c' + rule.colour"></i>{{ rule.id }}</button>
              <span v-if="post.counts" class="rk-muted rk-counts" :title="post.counted" :aria-label="post.counted">{{ post.counts }}</span>
            </footer>
          </div>
        </article>
        <div v-if="!shown.length" class="rk-empty">
          <b>{{ empty.title }}</b><span>{{ empty.hint }}</span>
        </div>
        <button v-if="shown.length && more" type="button" class="rk-more" @click="$emit('more')">Older posts</button>
        <div v-else-if="shown.length && note" class="rk-end">{{ note }}</div>
      </div>
    </div>`,
  props: { posts: Array, epoch: Number, more: Boolean, note: String, empty: Object },
  data() {
    return { shown: this.posts, over: false, down: false };
  },
  computed: {
    waiting() {
      if (this.shown === this.posts) return 0;
      const known = new Set(this.shown.map((post) => post.key));
      const news = this.posts.findIndex((post) => known.has(post.key));
      return news < 0 ? this.posts.length : news;
    },
  },
  watch: {
    posts() {
      if (!(this.over && this.shown.length) && !this.down) this.shown = this.posts;
      else if (!this.waiting) this.shown = this.posts;
    },
    epoch() {
      // Another filter was chosen, or older posts were asked for.
      this.shown = this.posts;
    },
  },
  methods: {
    scrolled() {
      this.down = this.$refs.scroll.scrollTop > 8;
      if (!this.down && !this.over) this.shown = this.posts;
    },
    left() {
      this.over = false;
      if (!this.down) this.shown = this.posts;
    },
    release() {
      this.shown = this.posts;
      this.$refs.scroll.scrollTop = 0;
    },
  },
};
