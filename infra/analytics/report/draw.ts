import type { EChartsOption } from 'echarts';
import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { html, type Markup } from './html.ts';

use([BarChart, LineChart, ScatterChart, GridComponent, SVGRenderer]);

/** The width of all charts. Phones scale them down, so that text is about 10 px high. */
export const WIDTH = 400;

/**
 * Draws a chart as static SVG, which needs no script.
 *
 * @param label Describes the chart for screen readers.
 * @param titleOf Describes a value, which browsers show on hover.
 */
export function draw(
  option: EChartsOption,
  height: number,
  label: string,
  titleOf: (series: number, index: number) => string,
): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...option });
    return html`<svg role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${height}">${contentOf(chart.renderToSVGString(), titleOf)}</svg>`;
  } finally {
    chart.dispose();
  }
}

/**
 * Extracts the content of ECharts' `svg` element, with a title for each value, and without styles, clipping and
 * attributes for pointer events. Class names contain a counter over all charts, so the same chart would not always be
 * identical. ECharts escapes text from outside, so these patterns cannot match in a text.
 */
function contentOf(svg: string, titleOf: (series: number, index: number) => string): Markup {
  const markup = svg
    .replace(
      / ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)"([^>]*)>/g,
      (_, series, index, rest) =>
        `${rest}>${html`<title>${titleOf(Number(series), Number(index))}</title>`.markup}`,
    )
    .replace(/^<svg[^>]*>|<\/svg>$/g, '')
    .replace(/<style[^>]*>.*?<\/style>|<clipPath[^>]*>.*?<\/clipPath>/gs, '')
    .replace(/ (?:class|clip-path|ecmeta_\w+|pointer-events|xml:space)="[^"]*"/g, '');
  return { markup };
}
