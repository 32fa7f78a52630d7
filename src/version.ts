/** Version of this package; the build puts package.json's in its place. */
declare const FLOTILLA_VERSION: string | undefined;

export const version: string = typeof FLOTILLA_VERSION === 'string' ? FLOTILLA_VERSION : '0.0.0-source';
