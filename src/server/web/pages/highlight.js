/** Colours code roughly: comments, strings, numbers, keywords, and names that are called. */
import { element } from "./dom.js";

const kCommon =
  "break case catch class const continue default do else enum export extends false finally for function " +
  "if import in let new null return static super switch this throw true try typeof var void while with yield async await";
const kWords = {
  js: kCommon + " of instanceof interface type implements private public protected readonly from as undefined",
  py:
    "and as assert async await break class continue def del elif else except finally for from global if import in is " +
    "lambda nonlocal not or pass raise return try while with yield None True False self match case",
  c:
    kCommon +
    " auto bool char double float int long short signed unsigned struct union using namespace template " +
    "typename constexpr nullptr sizeof virtual override private public protected operator inline extern final final",
  rs:
    "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move " +
    "mut pub ref return self Self static struct super trait true type unsafe use where while",
  go:
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package " +
    "range return select struct switch type var nil true false",
  sh: "if then else elif fi for while do done case esac function in return export local echo cd set exit",
  sql:
    "select from where and or not insert into values update set delete create table join left right inner outer on " +
    "group by order having limit as distinct null is in primary key index",
  json: "true false null",
};
const kAliases = {
  javascript: "js",
  typescript: "js",
  ts: "js",
  jsx: "js",
  tsx: "js",
  java: "js",
  kotlin: "js",
  swift: "js",
  cs: "js",
  php: "js",
  python: "py",
  python3: "py",
  "c++": "c",
  cpp: "c",
  cc: "c",
  h: "c",
  cuda: "c",
  rust: "rs",
  golang: "go",
  bash: "sh",
  shell: "sh",
  zsh: "sh",
  console: "sh",
  yaml: "sh",
  toml: "sh",
  ruby: "py",
};
const kHashComments = new Set(["py", "sh"]);
const kMaxLength = 20_000; // characters; longer code stays plain

/**
 * @param {string} code
 * @param {string} language as after the fence
 * @returns {(Node | string)[]}
 */
export function highlight(code, language) {
  const name = language.toLowerCase();
  const kind = kAliases[name] ?? name;
  if (!(kind in kWords) || code.length > kMaxLength) return [code];
  const insensitive = kind === "sql";
  const words = new Set(kWords[kind].split(" "));
  const comment = kHashComments.has(kind)
    ? "#[^\\n]*"
    : kind === "sql"
      ? "--[^\\n]*"
      : "\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?(?:\\*\\/|$)";
  const token = new RegExp(
    `(${comment})|("""[\\s\\S]*?(?:"""|$)|"(?:\\\\.|[^"\\\\\\n])*"?|'(?:\\\\.|[^'\\\\\\n])*'?|\`(?:\\\\.|[^\`\\\\])*\`?)` +
      "|(\\b\\d[\\w.]*)|([A-Za-z_$][\\w$]*)(?=(\\s*\\()?)",
    "g",
  );
  const out = [];
  let at = 0;
  for (const match of code.matchAll(token)) {
    const [text, isComment, isString, isNumber, isName, isCall] = match;
    const word = insensitive ? text.toLowerCase() : text;
    const type = isComment
      ? "comment"
      : isString
        ? "string"
        : isNumber
          ? "number"
          : isName && words.has(word)
            ? "keyword"
            : isCall
              ? "call"
              : null;
    if (type === null) continue;
    out.push(code.slice(at, match.index), element(`span.hl-${type}`, {}, text));
    at = match.index + text.length;
  }
  out.push(code.slice(at));
  return out;
}
