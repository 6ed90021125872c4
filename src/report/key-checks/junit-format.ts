import { keyRecordName } from "../../keys/key-name.ts";
import { describeDetails, type KeyCheckFormat, recordToPublish, type TestedKey } from "./key-check-format.ts";

/**
 * JUnit's XML as Jenkins, GitLab and others load it: a suite for each domain, a case for each key. Keys come in order of
 * domain, so that each suite is whole when the next begins and the file is written as it grows. There are no times in it:
 * the same answers make the same file. What was not answered or not asked is an error: a skipped case would let a gate pass.
 */
export function junitFormat(ttlSeconds: number): KeyCheckFormat {
  let suite: TestedKey[] = [];
  const closeSuite = () => {
    const text = suite.length === 0 ? "" : renderSuite(suite, ttlSeconds);
    suite = [];
    return text;
  };
  return {
    begin: () => `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="dkimctl testkeys">\n`,
    check(tested) {
      const finished = suite[0] !== undefined && suite[0].name.domain !== tested.name.domain ? closeSuite() : "";
      suite.push(tested);
      return finished;
    },
    end: () => `${closeSuite()}</testsuites>\n`,
  };
}

function renderSuite(suite: readonly TestedKey[], ttlSeconds: number): string {
  const count = (element: string) => suite.filter(({ outcome }) => ELEMENT[outcome.verdict] === element).length;
  const attributes = attributeText({
    name: suite[0]?.name.domain ?? "",
    tests: suite.length,
    failures: count("failure"),
    errors: count("error"),
  });
  return `  <testsuite${attributes}>\n${suite.map((tested) => renderCase(tested, ttlSeconds)).join("")}  </testsuite>\n`;
}

const ELEMENT = {
  pass: undefined,
  fail: "failure",
  revoked: "failure",
  temporary: "error",
  error: "error",
  skipped: "error",
} as const;

function renderCase(tested: TestedKey, ttlSeconds: number): string {
  const { name, outcome } = tested;
  const attributes = attributeText({ name: keyRecordName(name), classname: name.domain });
  const details = describeDetails(outcome);
  const record = recordToPublish(tested, ttlSeconds);
  const lines = [...details, ...(record === undefined ? [] : [`publish: ${record}`])].join("\n");
  const element = ELEMENT[outcome.verdict];
  if (element === undefined) {
    if (lines === "") return `    <testcase${attributes}/>\n`;
    return `    <testcase${attributes}>\n      <system-out>${escapeXml(lines)}</system-out>\n    </testcase>\n`;
  }
  const about = attributeText({ message: outcome.reason, type: `${outcome.verdict}.${outcome.code}` });
  const inner = lines === "" ? `<${element}${about}/>` : `<${element}${about}>${escapeXml(lines)}</${element}>`;
  return `    <testcase${attributes}>\n      ${inner}\n    </testcase>\n`;
}

function attributeText(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** What XML 1.0 §2.2 does not admit, not even as a reference, becomes `\u{HEX}`. */
export function escapeXml(text: string): string {
  return text
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char)
    .replace(
      /[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\u007f-\u009f]/gu,
      (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
    );
}
