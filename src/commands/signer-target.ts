import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { parseDomainName } from "../keys/domain-name.ts";
import { chooseForm, requireTaken } from "../signers/form-choice.ts";
import type { SignerForm, SignerFormOptions } from "../signers/signer-form.ts";
import type { Settings } from "./settings.ts";
import type { ReadableSigner } from "./signer-sources.ts";

/** A signer whose configuration `rotate` writes, and how it is made to read it. */
export interface SignerTarget {
  readonly signer: ReadableSigner;
  readonly form: SignerForm;
  readonly formOptions: SignerFormOptions;
  /** Where the form's file, or its files, stand. */
  readonly pathOf: (file: { readonly name: string }) => string;
  /** The file from which all others are found. */
  readonly mainPath: string;
  readonly reload: readonly string[] | undefined;
  readonly user: string | undefined;
  readonly test: readonly string[] | undefined;
  readonly testUrl: string | undefined;
  readonly timeLimitMs: number;
}

/** For one program that changes or tests the signer. */
export const SIGNER_TIME_LIMIT_MS = 60_000;

/** What [signer] says of a configuration to write; `undefined`: of none. @throws {UsageError} it contradicts itself */
export function signerTarget({ signer: settings }: Pick<Settings, "signer">): SignerTarget | undefined {
  const { type, output, reload, "test-url": testUrl } = settings;
  if (output === undefined) {
    const idle = (["reload", "test", "test-url", "form", "ttl", "catch-all"] as const).find(
      (name) => settings[name] !== undefined,
    );
    if (idle === undefined) return undefined;
    throw new UsageError(`signer.${idle} means nothing without signer.output`, {
      hint: "see dkimctl.toml(5), section signer",
    });
  }
  if (settings.activate !== undefined) {
    throw new UsageError("signer.activate and signer.output exclude each other: one of them changes the signer");
  }
  if (type === undefined) throw new UsageError("signer.output needs signer.type: whose configuration is it?");
  const { isSecret, form } = chooseForm(type, settings.form);
  if (isSecret || form.isHandedOver) {
    throw new UsageError(`the form ${settings.form} is no configuration that ${type} reads`, {
      hint: "hand such keys over with a program: [signer] activate = […]",
    });
  }
  const catchAll = settings["catch-all"];
  const ttlSeconds = settings.ttl === undefined ? undefined : settings.ttl / 1000;
  requireTaken(form, type, { ttlSeconds: ["signer.ttl", ttlSeconds], catchAll: ["signer.catch-all", catchAll] });
  if (ttlSeconds === 0) throw new UsageError("signer.ttl: a signature that expires at once is of no use");
  if (form.reload !== undefined && reload === undefined) {
    throw new UsageError(`${type} reads its configuration only when it is told to: signer.reload is missing`, {
      hint: `such as: reload = ${JSON.stringify(form.reload.split(" "))}`,
    });
  }
  if (testUrl !== undefined && type !== "rspamd") throw new UsageError("signer.test-url is for rspamd only");
  const isFolder = form.defaultFolder !== undefined;
  const pathOf = ({ name }: { readonly name: string }) => (isFolder ? join(output, name) : output);
  return {
    signer: type,
    form,
    formOptions: {
      folder: output,
      ttlSeconds,
      catchAll: catchAll === undefined ? undefined : parseDomainName(catchAll),
    },
    pathOf,
    mainPath: form.mainFile === undefined ? output : pathOf({ name: form.mainFile }),
    reload,
    user: settings.user,
    test: settings.test,
    testUrl,
    timeLimitMs: settings["time-limit"] ?? SIGNER_TIME_LIMIT_MS,
  };
}
