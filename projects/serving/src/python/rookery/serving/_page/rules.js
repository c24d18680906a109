// The rules with their counts. Rows are keyed, so that only what changed is painted.
export default {
  template: `
    <div class="rk-rules" role="table" aria-label="Rules">
      <div class="rk-rule rk-rule-head" role="row">
        <span role="columnheader">Rule</span>
        <span role="columnheader">Over time</span>
        <span role="columnheader">Sentiment</span>
        <span role="columnheader" class="rk-num">Posts</span>
        <span role="columnheader" class="rk-num">Share</span>
      </div>
      <div class="rk-rules-body">
      <button v-for="rule in rules" :key="rule.id" type="button" role="row"
              class="rk-rule" :class="{ 'rk-chosen': rule.id === chosen, 'rk-former': !rule.active }"
              :data-rule="rule.id" :title="rule.text || 'no longer in the rule set'"
              @click="$emit('choose', rule.id)">
        <span class="rk-rule-name" role="cell">
          <i :class="'rk-dot rk-c' + rule.colour"></i>
          <span class="rk-rule-text"><b>{{ rule.name }}</b><em v-if="rule.text && rule.text !== rule.name">{{ rule.text }}</em></span>
        </span>
        <span role="cell" class="rk-rule-spark">
          <svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
            <rect v-for="bar in bars(rule.spark)" :key="bar.i" :class="'rk-f' + rule.colour"
                  :x="bar.x" :y="bar.y" :width="bar.w" :height="bar.h" />
          </svg>
        </span>
        <span role="cell" class="rk-mood" :title="mood(rule)">
          <i class="rk-positive" :style="{ flexGrow: rule.positive }"></i>
          <i class="rk-neutral" :style="{ flexGrow: rule.neutral }"></i>
          <i class="rk-negative" :style="{ flexGrow: rule.negative }"></i>
        </span>
        <span role="cell" class="rk-num rk-strong">{{ rule.posts }}</span>
        <span role="cell" class="rk-num rk-muted">{{ rule.share }}</span>
      </button>
      </div>
    </div>`,
  props: { rules: Array, chosen: String },
  methods: {
    bars(values) {
      const top = Math.max(...values, 1);
      const w = 100 / Math.max(values.length, 1);
      return values.map((v, i) => {
        const h = v ? Math.max((v / top) * 22, 1) : 0;
        return { i, x: i * w, y: 24 - h, w: w * 0.72, h };
      });
    },
    mood(rule) {
      return `${rule.positive} positive, ${rule.neutral} neutral, ${rule.negative} negative`;
    },
  },
};
