import { quoteTxtString, quoteTxtStrings, splitTxtStrings } from "../../dns/txt-strings.ts";
import type { DomainName } from "../../keys/domain-name.ts";
import type { KeyName } from "../../keys/key-name.ts";
import { type RecordFormat, type RecordFormatOptions, type RecordToPrint, recordText } from "./record-format.ts";
import { hostOf, nameInZone, zoneOfRecords } from "./record-host.ts";

/**
 * Terraform resources, as `terraform fmt` would lay them out: HashiCorp's own provider for dynamic updates, or that of
 * Amazon when the records go to Route 53.
 * @see https://registry.terraform.io/providers/hashicorp/dns/latest/docs/resources/txt_record_set
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/route53_record
 */
export function terraformFormat(options: RecordFormatOptions): RecordFormat {
  const zones = new Set<DomainName>();
  return {
    record(record) {
      const zone = zoneOfRecords(record.name.domain, options);
      if (options.provider !== "route53") return renderUpdate(record, zone);
      const data = zones.has(zone) ? "" : renderZone(zone);
      const text = data + renderRoute53(record, zone);
      zones.add(zone);
      return text;
    },
  };
}

/** The provider puts the text into quotes as it is, reads it as zone text does, and splits it. */
function renderUpdate(record: RecordToPrint, zone: DomainName): string {
  const text = splitTxtStrings(recordText(record))
    .map((string) => quoteTxtString(string).slice(1, -1))
    .join("");
  return block(`resource "dns_txt_record_set" "${resourceName(record.name)}"`, [
    ["zone", quote(`${zone}.`)],
    ["name", quote(hostOf(record.name, zone))],
    ["txt", `[${quote(text)}]`],
    ["ttl", String(record.ttlSeconds)],
  ]);
}

/** The provider puts quotes around the whole; those between the strings are to be given. */
function renderRoute53(record: RecordToPrint, zone: DomainName): string {
  const text = quoteTxtStrings(recordText(record), "").slice(1, -1);
  return block(`resource "aws_route53_record" "${resourceName(record.name)}"`, [
    ["zone_id", `data.aws_route53_zone.${zoneName(zone)}.zone_id`],
    ["name", quote(nameInZone(record.name, zone))],
    ["type", quote("TXT")],
    ["ttl", String(record.ttlSeconds)],
    ["records", `[${quote(text)}]`],
  ]);
}

function renderZone(zone: DomainName): string {
  return block(`data "aws_route53_zone" "${zoneName(zone)}"`, [["name", quote(`${zone}.`)]]);
}

function block(head: string, attributes: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...attributes.map(([name]) => name.length));
  return `${head} {\n${attributes.map(([name, value]) => `  ${name.padEnd(width)} = ${value}\n`).join("")}}\n\n`;
}

/** Follows from the record's name alone, and no two names share one: Terraform deletes what is no longer called the same. */
function resourceName({ selector, domain }: KeyName): string {
  return `dkim_${identifier(selector)}_at_${identifier(domain)}`;
}

function zoneName(zone: DomainName): string {
  return `dkim_${identifier(zone)}`;
}

function identifier(name: string): string {
  return name.replaceAll("_", "_-").replaceAll(".", "__");
}

/**
 * A quoted template that is this text and nothing else.
 * @see https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
 */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&").replace(/[$%](?=\{)/g, "$&$&")}"`;
}
