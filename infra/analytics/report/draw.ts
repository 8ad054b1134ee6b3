import type { EChartsOption } from 'echarts';
import { BarChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { html, type Markup } from './html.ts';

use([BarChart, GridComponent, SVGRenderer]);

/** All charts are as wide. On a phone they are shown smaller, with text of some 10 px. */
export const WIDTH = 400;

/**
 * Draws a chart, as a picture that needs no script.
 *
 * @param label What the picture shows, for those who do not see it.
 */
export function draw(option: EChartsOption, height: number, label: string): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...option });
    return html`<svg role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${height}">${inside(chart.renderToSVGString())}</svg>`;
  } finally {
    chart.dispose();
  }
}

/**
 * What ECharts drew, without its own `svg` element, and without what is for a pointer: the styles and their class names
 * are counted over all charts, so that the same chart would not be the same twice. Text from outside is escaped in it,
 * so none of this can be in a text.
 */
function inside(svg: string): Markup {
  const markup = svg
    .replace(/^<svg[^>]*>|<\/svg>$/g, '')
    .replace(/<style[^>]*>.*?<\/style>/s, '')
    .replace(/ (?:class|ecmeta_\w+|pointer-events|xml:space)="[^"]*"/g, '');
  return { markup };
}
