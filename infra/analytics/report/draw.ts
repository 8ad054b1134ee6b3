import type { EChartsOption } from 'echarts';
import { BarChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { html, type Markup } from './html.ts';

use([BarChart, GridComponent, SVGRenderer]);

/** The width of all charts. Phones scale them down, so that text is about 10 px high. */
export const WIDTH = 400;

/**
 * Draws a chart as static SVG, which needs no script.
 *
 * @param label Describes the chart for screen readers.
 */
export function draw(option: EChartsOption, height: number, label: string): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...option });
    return html`<svg role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${height}">${contentOf(chart.renderToSVGString())}</svg>`;
  } finally {
    chart.dispose();
  }
}

/**
 * Extracts the content of ECharts' `svg` element, without styles and attributes for pointer events. Class names contain
 * a counter over all charts, so the same chart would not always be identical. ECharts escapes text from outside, so these
 * patterns cannot match in a text.
 */
function contentOf(svg: string): Markup {
  const markup = svg
    .replace(/^<svg[^>]*>|<\/svg>$/g, '')
    .replace(/<style[^>]*>.*?<\/style>/s, '')
    .replace(/ (?:class|ecmeta_\w+|pointer-events|xml:space)="[^"]*"/g, '');
  return { markup };
}
