/** The codes of a country. */
interface Country {
  name: string;
  callingCode: string;
  mobileCountryCode: string;
}

/** The countries of the examples and of 8x8's main markets, by ISO alpha-2 code. Other countries are shown as missing. */
export const COUNTRIES: ReadonlyMap<string, Country> = new Map(
  [
    'AU Australia 61 505',
    'GB United_Kingdom 44 234',
    'HK Hong_Kong 852 454',
    'ID Indonesia 62 510',
    'LK Sri_Lanka 94 413',
    'MY Malaysia 60 502',
    'PH Philippines 63 515',
    'SG Singapore 65 525',
    'TH Thailand 66 520',
    'US United_States 1 310',
    'VN Viet_Nam 84 452',
  ].map((line) => {
    const [code = '', name = '', callingCode = '', mobileCountryCode = ''] = line.split(' ');
    return [code, { name: name.replaceAll('_', ' '), callingCode, mobileCountryCode }];
  }),
);
