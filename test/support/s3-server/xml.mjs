// @ts-check

/** @type {Record<string, string>} */
const ENTITY = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '\r': '&#13;', '\n': '&#10;' };

/** @param {string} name @param {...string} children */
export function element(name, ...children) {
  return `<${name}>${children.join('')}</${name}>`;
}

/** @param {string} name @param {string | number | boolean} value */
export function textElement(name, value) {
  return element(
    name,
    String(value).replace(/[&<>"'\r\n]/g, (character) => ENTITY[character] ?? character),
  );
}

/** @param {string} root */
export function xmlDocument(root) {
  const namespaced = root.replace(/^<(?!Error>)(\w+)>/, '<$1 xmlns="http://s3.amazonaws.com/doc/2006-03-01/">');
  return `<?xml version="1.0" encoding="UTF-8"?>\n${namespaced}`;
}

/** The inner text of every element of that name. @param {string} xml @param {string} name */
export function elementsOf(xml, name) {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(
    (match) => match[1] ?? '',
  );
}

/** @param {string} xml @param {string} name */
export function textOf(xml, name) {
  const [raw] = elementsOf(xml, name);
  return raw?.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, code) => characterOf(code) ?? whole);
}

/** @param {string} code */
function characterOf(code) {
  if (/^#x/i.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(2), 16));
  if (code.startsWith('#')) return String.fromCodePoint(Number(code.slice(1)));
  return Object.keys(ENTITY).find((character) => ENTITY[character] === `&${code};`);
}
