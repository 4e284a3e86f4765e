package helix.levels_test

import data.helix.fixtures as f
import data.helix.guardrails

decide(document) := decision if {
	decision := guardrails.decision with input as document
}

levels_of(document) := {finding.rule: finding.level | some finding in decide(document).findings}

# What `helix init --yes` writes is never refused.
test_what_init_wrote if {
	decide(as_init_wrote).allow == true
	levels_of(as_init_wrote) == {"health-check": "advisory", "memory-limit": "advisory", "owner-present": "advisory"}
}

as_init_wrote := f.input_of({"web": object.union(f.service, {"replicas": 1, "health": {"path": null}, "resources": {"memoryBytes": null}, "labels": {"owner": ""}})})

test_a_known_secret_refuses if {
	decide(f.web({"env": {"A": "[masked: AWS access key]"}})).allow == false
	levels_of(f.web({"env": {"A_TOKEN": "secret-word"}})) == {"env-likely-secret": "advisory"}
}

test_images_are_advised if {
	levels_of(f.built(object.union(f.image, {"user": "", "base": ["node"]}))) == {"image-tag": "advisory", "image-user": "advisory"}
}
