/** What the signer's configuration says of one domain's keys. */
export type SignerNames =
  | {
      readonly kind: "known";
      /** For messages: the configuration. */
      readonly source: string;
      /** Nothing in the configuration was beyond us. */
      readonly isWhole: boolean;
      /** The selectors that sign. */
      readonly signing: readonly string[];
      /** `FILE:LINE` of what names the selector, or may: a line that only the signer understands counts too. */
      where(selector: string): string | undefined;
    }
  /** `reason`: one sentence, why the configuration could not be read. */
  | { readonly kind: "unknown"; readonly reason: string };
