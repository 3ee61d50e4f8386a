import type { Template } from '@huggingface/jinja';

/**
 * Python's `strip`, `lstrip` and `rstrip` in chat templates. @huggingface/jinja 0.5 leaves out their argument, so that
 * `lstrip('\n')` takes blanks too, and cuts off JavaScript's white space, of which Python's is not quite the same.
 */

/** The function's name in a template. No template uses this name itself. */
const STRIP = '__python_strip';

const PYTHON_SPACE = '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000';

/** The function, for a template that `stripAsPython` has changed. */
export const STRIP_FUNCTION = {
  [STRIP](text: unknown, method: string, characters?: unknown): string {
    if (typeof text !== 'string') throw new Error(`${method} is for text`);
    const some = typeof characters === 'string' ? escapeForClass(characters) : PYTHON_SPACE;
    if (some === '') return text;
    let stripped = text;
    if (method !== 'rstrip') stripped = stripped.replace(new RegExp(`^[${some}]+`, 'u'), '');
    if (method !== 'lstrip') stripped = stripped.replace(new RegExp(`[${some}]+$`, 'u'), '');
    return stripped;
  },
};

function escapeForClass(characters: string): string {
  return characters.replace(/[\\\]^-]/g, '\\$&');
}

/** A node of a template's tree, as far as it is of interest here. */
interface Node {
  type?: string;
  [key: string]: unknown;
}

/** Calls our function where the template calls one of the three methods, or the filter `trim`. */
export function stripAsPython(template: Template): Template {
  visit(template.parsed as unknown as Node);
  return template;
}

function visit(node: Node): void {
  for (const child of Object.values(node)) {
    const children = child instanceof Map ? [...child].flat() : [child].flat();
    for (const each of children) if (isNode(each)) visit(each);
  }
  const callee = node.callee as Node | undefined;
  const filter = node.filter as Node | undefined;
  if (node.type === 'CallExpression' && callee?.type === 'MemberExpression') {
    const method = (callee.property as Node).value as string;
    if (!callee.computed && ['strip', 'lstrip', 'rstrip'].includes(method))
      becomeCall(node, callee.object as Node, method, node.args as Node[]);
  } else if (node.type === 'FilterExpression' && filter?.type === 'Identifier' && filter.value === 'trim')
    becomeCall(node, node.operand as Node, 'strip', []);
}

function becomeCall(node: Node, text: Node, method: string, args: readonly Node[]): void {
  for (const key of Object.keys(node)) delete node[key];
  node.type = 'CallExpression';
  node.callee = { type: 'Identifier', value: STRIP };
  node.args = [text, { type: 'StringLiteral', value: method }, ...args];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}
