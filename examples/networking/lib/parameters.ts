/** What deployments/*.yaml say of a region. */
export interface Parameters {
  readonly cidr: string;
  readonly naming: { readonly prefix: string; readonly suffix?: string };
}

/** Anything with `parse` will do, a zod schema for instance. */
export const parameters = {
  parse(value: unknown): Parameters {
    const { cidr, naming } = value as Partial<Parameters>;
    if (!/^\d+\.\d+\.\d+\.\d+\/(1[6-9]|2[0-8])$/.test(cidr ?? '')) throw new TypeError(`cidr must be a block of /16 to /28, not ${cidr}`);
    if (!naming?.prefix) throw new TypeError('naming.prefix is missing');
    return { cidr: cidr!, naming };
  },
};
