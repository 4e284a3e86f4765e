# Secrets that were written down where everybody reads them. What looks like one arrives masked from the engine; raw text is judged the same way.
package helix.rules

shapes := data.helix.secrets

violation contains {
	"rule": "env-known-secret",
	"path": sprintf("services.%s.env.%s", [name, variable]),
	"message": sprintf("%s of service %s holds a secret: %s", [variable, name, kind]),
	"needed": "a secret from the store",
	"found": kind,
	"fix": sprintf("Run `helix secrets set %s`, remove it from services.%s.env and add it to services.%s.secrets. Replace the secret: it has been seen.", [variable, name, name]),
} if {
	some name, service in input.manifest.services
	some variable, value in service.env
	kind := known_kinds(value)[0]
}

# In the order of the list, so that the first kind that fits is the one that is named. Expressions cost much: they are tried where a part of them stands.
known_kinds(value) := array.concat(
	[shape.name | some shape in shapes.patterns; has_hint(shape, value); regex.match(shape.pattern, value)],
	[shape.name | some shape in shapes.patterns; value == shape.mask],
)

has_hint(shape, value) if {
	some hint in shape.hints
	contains(value, hint)
}

violation contains {
	"rule": "env-likely-secret",
	"path": sprintf("services.%s.env.%s", [name, variable]),
	"message": sprintf("%s of service %s looks like a secret", [variable, name]),
	"needed": "a secret from the store",
	"found": "a value that looks like a secret",
	"fix": sprintf("If it is one: run `helix secrets set %s`, remove it from services.%s.env and add it to services.%s.secrets.", [variable, name, name]),
} if {
	some name, service in input.manifest.services
	some variable, value in service.env
	is_likely(variable, value)
	count(known_kinds(value)) == 0
}

is_likely(_, value) if value == "[masked: likely secret]"

is_likely(variable, value) if {
	count(value) >= shapes.nameMinLength
	some ending in shapes.nameEndings
	endswith(upper(variable), ending)
	regex.match(shapes.names, variable)
}

is_likely(_, value) if {
	count(value) >= shapes.entropyMinLength
	count(value) <= count(shapes.log2)
	not contains(value, " ")
	regex.match(shapes.alphabet, value)
	bits_per_character(value) > shapes.entropyBits
}

# Shannon's entropy: log2(n) - sum(c * log2(c)) / n. The table of logarithms begins with that of 1.
bits_per_character(value) := shapes.log2[count(value) - 1] - (sum(parts) / count(value)) if {
	counts := {character: times | some character in split(value, ""); times := count(split(value, character)) - 1}
	parts := [part | some times in counts; part := times * shapes.log2[times - 1]]
}
