package helix.levels_test

import data.helix.fixtures as f
import data.helix.guardrails

decide(document) := decision if {
	decision := guardrails.decision with input as document
}

levels_of(document) := {finding.rule: finding.level | some finding in decide(document).findings}

# A first try is told of nothing but what could hurt.
test_what_init_wrote if {
	decide(as_init_wrote) == {"allow": true, "findings": set()}
}

as_init_wrote := f.input_of({"web": object.union(f.service, {"replicas": 1, "health": {"path": null}, "resources": {"memoryBytes": null}, "labels": {"owner": ""}})})

test_bounds_are_bounds if {
	decide(f.web({"replicas": 51})).allow == false
	decide(f.web({"replicas": 50})).allow == true
}

test_a_secret_is_advice if levels_of(f.web({"env": {"A": "[masked: AWS access key]"}})) == {"env-known-secret": "advisory"}
