# SPDX-License-Identifier: Apache-2.0
"""pySigma over SQLite, run by the interpreter of its venv: sqlite_rules.py RULES EVENTS. Converts
every rule, loads the events into one table, runs every query. Prints one JSON object: rules, how
many convert and run, matches by rule, and CPU seconds for each part."""
import functools, json, pathlib, re, sqlite3, sys, time

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

ROUTED = ("product", "service", "category")


def convert(folder):
    """[(id, WHERE text)], fields used, files read, reasons why a rule did not convert"""
    queries, fields, refused = [], set(), {}
    files = sorted(folder.rglob("*.yml"))
    for file in files:
        try:
            rules = SigmaCollection.from_yaml(file.read_text(encoding="utf-8"))
            for rule in rules:
                backend = sqliteBackend(table="logs", fulltext_field="_all")
                texts = backend.convert_rule(rule)
                fields.update(backend.required_fields(rule))
                for text in texts:
                    where = text.partition(" WHERE ")[2]
                    queries.append((str(rule.id), f"{routing(rule.logsource)} ({where})"))
        except Exception as reason:  # each of pySigma's errors means: this rule is left out
            refused[str(file)] = f"{type(reason).__name__}: {reason}"[:100]
    return queries, fields, len(files), refused


def routing(source):
    conditions = ""
    for name in ROUTED:
        value = getattr(source, name)
        if name == "category" and value == "registry_event":
            conditions += "_category LIKE 'registry%' AND "  # an event has its narrowest one
        elif value:
            conditions += f"_{name} = '{value}' AND "
    return conditions


def flatten(value, path, out):
    if isinstance(value, dict):
        for name, inner in value.items():
            flatten(inner, f"{path}.{name}" if path else name, out)
    elif isinstance(value, list):
        out[path] = json.dumps(value)
    elif isinstance(value, bool):
        out[path] = "true" if value else "false"
    elif value is not None:
        out[path] = str(value)
    return out


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def load(base, fields, path):
    """A table of the fields that both a rule reads and an event has; a view adds the others."""
    wanted = {field.lower(): field for field in fields | {"_product", "_service", "_category", "_all"}}
    events, seen = [], set()
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            flat = flatten(json.loads(line), "", {})
            row = {name.lower(): value for name, value in flat.items() if name.lower() in wanted}
            row["_all"] = line
            seen.update(row)
            events.append(row)
    columns = sorted(seen)
    base.execute("CREATE TABLE events (" + ",".join(f"{quote(c)} TEXT COLLATE NOCASE" for c in columns) + ")")
    base.executemany(f"INSERT INTO events VALUES ({','.join('?' * len(columns))})",
                     ([clean(row.get(c)) for c in columns] for row in events))
    base.execute("CREATE INDEX routed ON events (_product, _category, _service)")
    missing = [quote(name) for key, name in wanted.items() if key not in seen]
    base.execute("CREATE VIEW logs AS SELECT *" + "".join(f", NULL AS {m}" for m in missing) + " FROM events")
    base.commit()
    base.execute("ANALYZE")
    return len(events)


def clean(value):
    return value if value is None else value.encode("utf-8", "replace").decode("utf-8")


@functools.lru_cache(maxsize=None)
def compiled(pattern):
    return re.compile(pattern)


def matches(pattern, value):
    return value is not None and compiled(pattern).search(str(value)) is not None


def main():
    folder, path = pathlib.Path(sys.argv[1]), sys.argv[2]
    marks = [time.process_time()]
    queries, fields, files, refused = convert(folder)
    marks.append(time.process_time())
    base = sqlite3.connect(":memory:")
    base.create_function("REGEXP", 2, matches, deterministic=True)
    count = load(base, fields, path)
    marks.append(time.process_time())
    found, failed = {}, {}
    for rule, where in queries:
        try:
            hits = base.execute(f"SELECT count(*) FROM logs WHERE {where}").fetchone()[0]
            if hits:
                found[rule] = found.get(rule, 0) + hits
        except (sqlite3.Error, re.error) as reason:
            failed[rule] = str(reason)[:100]
    marks.append(time.process_time())
    convert_s, load_s, query_s = (round(b - a, 3) for a, b in zip(marks, marks[1:]))
    reasons = sorted({text for text in [*refused.values(), *failed.values()]})[:5]
    print(json.dumps({"events": count, "files": files, "converted": files - len(refused),
                      "failed": len(failed), "convert_s": convert_s, "load_s": load_s,
                      "query_s": query_s, "by_rule": found, "reasons": reasons}))


main()
