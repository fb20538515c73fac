// @ts-check
/** What the comments of the message classes say, so that it need not be written twice: of each class, and of each of its fields. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** @typedef {{ base: string | undefined, about: string, fields: Map<string, string> }} Words */

/** @param {string} folder of the message classes' sources @returns {Map<string, Words>} by the class's name */
export function messageWords(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  return new Map(
    files.flatMap((name) => wordsIn(ts.createSourceFile(name, readFileSync(join(folder, name), 'utf8'), ts.ScriptTarget.ES2022, true))),
  );
}

/** The words of a class's field, or of the same field in what it extends. @param {Map<string, Words>} words @param {string} name @param {string} field @returns {string | undefined} */
export function wordsOfField(words, name, field) {
  const own = words.get(name);
  return own && (own.fields.get(field) ?? (own.base ? wordsOfField(words, own.base, field) : undefined));
}

/** @param {ts.SourceFile} file @returns {[string, Words][]} */
function wordsIn(file) {
  return file.statements.filter(ts.isClassDeclaration).map((node) => {
    const base = node.heritageClauses?.[0]?.types[0]?.expression.getText();
    const fields = node.members
      .filter(ts.isPropertyDeclaration)
      .map((member) => /** @type {const} */ ([member.name.getText(), comment(member)]));
    return [node.name?.text ?? '', { base, about: comment(node), fields: new Map(fields.filter(([, text]) => text !== '')) }];
  });
}

/** @param {ts.Node} node */
function comment(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return (typeof doc?.comment === 'string' ? doc.comment : (ts.getTextOfJSDocComment(doc?.comment) ?? '')).replace(/\s*\n\s*/g, ' ').trim();
}
