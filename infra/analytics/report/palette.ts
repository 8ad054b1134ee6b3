/** The values of a colour in the two colour schemes. */
interface Shade {
  light: string;
  dark: string;
}

/** The contrast to the surface is at least 4.5 : 1 for text, and at least 3 : 1 for bars. */
const SHADES = {
  page: { light: '#f3f5f8', dark: '#0e1216' },
  surface: { light: '#ffffff', dark: '#171c22' },
  ink: { light: '#1a1f25', dark: '#e9edf1' },
  muted: { light: '#56606b', dark: '#a0abb6' },
  line: { light: '#dfe3e8', dark: '#2d353e' },
  // Based on the colour-blind-safe palette of Okabe and Ito.
  blue: { light: '#0a6cab', dark: '#4ba3dd' },
  amber: { light: '#c38a00', dark: '#e9bd4c' },
  red: { light: '#c13c18', dark: '#ee5f4a' },
  purple: { light: '#a3528a', dark: '#d58fbd' },
  grey: { light: '#7a848f', dark: '#87929d' },
  teal: { light: '#12806a', dark: '#35b394' },
  sky: { light: '#3f96cf', dark: '#8cc8f0' },
  orange: { light: '#d4681c', dark: '#dd7a2e' },
} satisfies Readonly<Record<string, Shade>>;

export type Colour = keyof typeof SHADES;

/** A colour in CSS. Its value depends on the reader's colour scheme. */
export const cssColour = (colour: Colour) => `var(--${colour})`;

/** The CSS declarations of all colours in one colour scheme. */
export function cssColours(scheme: keyof Shade): string {
  return Object.entries(SHADES)
    .map(([colour, shade]) => `--${colour}:${shade[scheme]}`)
    .join(';');
}
