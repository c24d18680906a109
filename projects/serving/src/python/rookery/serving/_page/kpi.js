// One number with its unit, a note below it, and its last two minutes as a line.
export default {
  template: `
    <div class="rk-kpi" :class="tone ? 'rk-tone-' + tone : ''">
      <div class="rk-kpi-label">{{ label }}</div>
      <div class="rk-kpi-value" :data-testid="name">
        <span>{{ value }}</span><small v-if="unit">{{ unit }}</small>
      </div>
      <div class="rk-kpi-note" :title="note">{{ note }}</div>
      <svg v-if="spark && spark.length > 1" class="rk-spark" preserveAspectRatio="none"
           viewBox="0 0 100 30" aria-hidden="true">
        <path class="rk-spark-area" :d="path + ' L100,30 L0,30 Z'" />
        <path class="rk-spark-line" :d="path" vector-effect="non-scaling-stroke" />
      </svg>
    </div>`,
  props: {
    name: String,
    label: String,
    value: String,
    unit: String,
    note: String,
    tone: String,
    spark: Array,
  },
  computed: {
    path() {
      const values = this.spark;
      const top = Math.max(...values, 1e-9);
      const step = 100 / (values.length - 1);
      return values
        .map((v, i) => `${i ? "L" : "M"}${(i * step).toFixed(2)},${(28 - (v / top) * 25).toFixed(2)}`)
        .join(" ");
    },
  },
};
