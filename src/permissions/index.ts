export { broadenings, type Broadening } from './compare.js';
export { resolveTemplate, type Template, type TemplateResource } from './resolve.js';
