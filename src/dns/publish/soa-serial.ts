import { tokenizeZoneText, type ZoneEntry, type ZoneToken } from "../zone-text-tokens.ts";

/** The master file of a zone does not have the one SOA record that was looked for; the message says what it has. */
export class SoaSerialError extends Error {}

const MODULUS = 2 ** 32;
const HALF = 2 ** 31;
/** MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM, RFC 1035 §3.3.13. */
const SOA_WORDS = 7;
const SERIAL_WORD = 2;

/**
 * The text of a master file with its SOA record's serial raised, and nothing else changed.
 * @param now milliseconds since the epoch
 * @throws {SoaSerialError} no SOA record, several, or one that is not understood
 */
export function raiseSoaSerial(text: string, now: number): string {
  const { entries, faults } = tokenizeZoneText(text);
  const [fault] = faults;
  if (fault !== undefined) throw new SoaSerialError(`line ${fault.line}: ${fault.message}`);
  const [first, second] = entries.flatMap(soaWords);
  if (first === undefined) throw new SoaSerialError("there is no SOA record in it");
  if (second !== undefined) throw new SoaSerialError(`there are two SOA records in it, see line ${second[0]?.line}`);
  const serial = first[SERIAL_WORD];
  if (serial === undefined || first.length !== SOA_WORDS || !/^[0-9]{1,10}$/.test(serial.text)) {
    throw new SoaSerialError(`line ${first[0]?.line}: its SOA record is not understood`);
  }
  const value = Number(serial.text);
  if (value >= MODULUS) throw new SoaSerialError(`line ${serial.line}: ${serial.text} is no serial: it has 32 bits`);
  const end = serial.start + serial.text.length;
  return `${text.slice(0, serial.start)}${nextSerial(value, now)}${text.slice(end)}`;
}

/**
 * A serial that secondaries take for newer (RFC 1982 §3.2). One that is a date, YYYYMMDDnn, becomes that of today, as
 * far as it is not there yet; others count on. Not 0, which some servers take for "none".
 * @param now milliseconds since the epoch
 */
export function nextSerial(serial: number, now: number): number {
  const today = Number(new Date(now).toISOString().slice(0, 10).replaceAll("-", "")) * 100;
  const distance = (today - serial + MODULUS) % MODULUS;
  if (isDate(serial) && distance > 0 && distance < HALF) return today;
  return (serial + 1) % MODULUS || 1;
}

/** RIPE-203: since the DNS, and with nn below a hundred. */
function isDate(serial: number): boolean {
  const match = /^(19[89][0-9]|20[0-9]{2}|21[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{2}$/.exec(
    `${serial}`,
  );
  return match !== null;
}

/** What follows `SOA` in a record of this type. */
function soaWords({ tokens, startsWithSpace }: ZoneEntry): (readonly ZoneToken[])[] {
  if (!startsWithSpace && tokens[0]?.text.startsWith("$")) return [];
  const record = startsWithSpace ? tokens : tokens.slice(1);
  const type = record.findIndex(({ text }) => !/^([0-9][0-9wdhms]*|IN)$/i.test(text));
  const { text = "", isQuoted = false } = record[type] ?? {};
  return text.toUpperCase() === "SOA" && !isQuoted ? [record.slice(type + 1)] : [];
}
