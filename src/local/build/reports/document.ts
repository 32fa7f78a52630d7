import { AwsError } from '../../kernel/error.js';
import { parseXml, type XmlElement } from '../../../shared/xml.js';

/** Raised for a file that isn't what its format says. */
export function unreadable(detail: string): AwsError {
  return new AwsError('CLIENT_ERROR', detail, { status: 400 });
}

/** A document type that only names its definition (JaCoCo, Cobertura); one that declares things of its own is left to be refused. */
const DOCUMENT_TYPE = /^((?:\s|<\?[^]*?\?>|<!--[^]*?-->)*)<!DOCTYPE[^[>]*>/;

/** Root element of an XML report, which must have one of the names. */
export function xmlReport(text: string, ...roots: readonly string[]): XmlElement {
  const root = parseXml(new TextEncoder().encode(text.replace(DOCUMENT_TYPE, '$1')), unreadable);
  if (!roots.includes(root.name)) throw unreadable(`the root element is <${root.name}>, not <${roots.join('> or <')}>`);
  return root;
}

export function jsonReport(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error));
  }
}

/** Elements of a name anywhere below, in order. */
export function all(element: XmlElement, ...names: readonly string[]): XmlElement[] {
  return element.children.flatMap((child) => [...(names.includes(child.name) ? [child] : []), ...all(child, ...names)]);
}

export function children(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

export function child(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((found, name) => found?.children.find((next) => next.name === name), element);
}

export function attribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.get(name);
}

/** A number as reports write it (`1,234.5`, `0,5` of other locales aside); 0 for none. */
export function number(text: string | undefined): number {
  const value = Number((text ?? '').replace(/,(?=\d{3}\b)/g, ''));
  return Number.isFinite(value) ? value : 0;
}
