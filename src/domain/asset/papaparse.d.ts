/**
 * The little of Papa Parse that the rules use. `@types/papaparse` would bring in all of Node's globals, and then
 * impure code would compile in the domain.
 */
declare module "papaparse/papaparse.js" {
  interface Papa {
    parse(
      text: string,
      options: { readonly delimiter: string; readonly newline: "\n"; readonly quoteChar: '"' },
    ): {
      readonly data: readonly (readonly string[])[];
      readonly errors: readonly { readonly type: string; readonly message: string; readonly row?: number }[];
    };
  }
  const papa: Papa;

  export = papa;
}
