// The reference of the API, made from its own OpenAPI document.
const made = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

const kind = (schema = {}) => {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(kind).join(" | ");
  if (schema.type === "array") return `list of ${kind(schema.items)}`;
  if (schema.additionalProperties && !schema.properties) return `map to ${kind(schema.additionalProperties)}`;
  return [schema.type].flat().join(" | ");
};

const rows = (entries) => made("div", { className: "scroll" }, made("table", {},
  made("thead", {}, made("tr", {}, ...["name", "in", "type", "default", "about"].map((head) => made("th", { scope: "col" }, head)))),
  made("tbody", {}, ...entries.map((cells) => made("tr", {}, made("th", { scope: "row" }, made("code", {}, cells[0])), ...cells.slice(1).map((cell) => made("td", {}, cell)))))));

const fallback = (value) => (value === undefined || value === null ? "" : JSON.stringify(value));

const call = (path, method, operation, schemas) => {
  const section = made("section", { id: operation.operationId },
    made("h2", {}, made("span", { className: "method" }, method.toUpperCase()), " ", made("code", {}, path)),
    made("p", {}, operation.description ?? operation.summary ?? ""));
  const entries = (operation.parameters ?? []).map((each) =>
    [each.name, each.in, kind(each.schema), fallback(each.schema?.default), each.description ?? each.schema?.description ?? ""]);
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const described = body?.$ref ? schemas[body.$ref.split("/").pop()] : body;
  for (const [name, each] of Object.entries(described?.properties ?? {})) {
    entries.push([name, "body", kind(each), fallback(each.default), each.description ?? ""]);
  }
  if (entries.length) section.append(rows(entries));
  for (const example of described?.examples ?? []) section.append(made("pre", { tabIndex: 0 }, JSON.stringify(example, null, 2)));
  const answer = Object.values((operation.responses?.["200"] ?? operation.responses?.["201"])?.content ?? {})[0]?.schema;
  if (answer) section.append(made("p", {}, "Answers with ", made("code", {}, kind(answer)), "; errors are problems (RFC 9457)."));
  return section;
};

const found = await (await fetch("openapi.json")).json();
const calls = document.getElementById("calls");
const contents = made("ul");
calls.replaceChildren();
for (const [path, operations] of Object.entries(found.paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    calls.append(call(path, method, operation, found.components.schemas));
    contents.append(made("li", {}, made("a", { href: `#${operation.operationId}` }, `${method.toUpperCase()} ${path}`)));
  }
}
document.getElementById("contents").replaceChildren(contents);
