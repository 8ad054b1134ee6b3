/** The codes of a country. */
interface Country {
  name: string;
  callingCode: string;
  isoNumeric: string;
  mobileCountryCode: string;
}

/** The countries of the examples and of 8x8's main markets, by ISO alpha-2 code. Other countries are shown as missing. */
export const COUNTRIES: ReadonlyMap<string, Country> = new Map(
  [
    'AU Australia 61 036 505',
    'GB United_Kingdom 44 826 234',
    'HK Hong_Kong 852 344 454',
    'ID Indonesia 62 360 510',
    'LK Sri_Lanka 94 144 413',
    'MY Malaysia 60 458 502',
    'PH Philippines 63 608 515',
    'SG Singapore 65 702 525',
    'TH Thailand 66 764 520',
    'US United_States 1 840 310',
    'VN Viet_Nam 84 704 452',
  ].map((line) => {
    const [code = '', name = '', callingCode = '', isoNumeric = '', mobileCountryCode = ''] = line.split(' ');
    return [code, { name: name.replaceAll('_', ' '), callingCode, isoNumeric, mobileCountryCode }];
  }),
);
