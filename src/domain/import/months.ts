/**
 * The first letters of the months' names, 1 for January, in English, German, Spanish, French,
 * Italian, Portuguese and Polish. No beginning means two months.
 */
const BEGINNINGS: Readonly<{ [beginning: string]: number }> = {
  jan: 1,
  ene: 1,
  gen: 1,
  sty: 1,
  feb: 2,
  fév: 2,
  fev: 2,
  lut: 2,
  mar: 3,
  mär: 3,
  mrz: 3,
  apr: 4,
  abr: 4,
  avr: 4,
  kwi: 4,
  may: 5,
  mai: 5,
  mag: 5,
  maj: 5,
  jun: 6,
  giu: 6,
  cze: 6,
  jul: 7,
  lug: 7,
  lip: 7,
  aug: 8,
  ago: 8,
  aoû: 8,
  sie: 8,
  sep: 9,
  set: 9,
  wrz: 9,
  oct: 10,
  okt: 10,
  ott: 10,
  out: 10,
  paź: 10,
  nov: 11,
  lis: 11,
  dec: 12,
  dez: 12,
  dic: 12,
  déc: 12,
  gru: 12,
};

/**
 * The month that a name or its beginning means, or null. French has two that begin alike: juin and
 * juillet.
 */
export const monthNamed = (name: string): number | null => {
  const word = name.normalize("NFC").toLowerCase();
  if (word.startsWith("juin")) return 6;
  if (word.startsWith("juil")) return 7;
  return word.length < 3 || word.length > 12 ? null : (BEGINNINGS[word.slice(0, 3)] ?? null);
};
