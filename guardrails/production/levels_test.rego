package helix.levels_test

import data.helix.fixtures as f
import data.helix.guardrails

decide(document) := decision if {
	decision := guardrails.decision with input as document
}

levels_of(document) := {finding.rule: finding.level | some finding in decide(document).findings}

careless := f.web({"health": {"path": null}, "resources": {"memoryBytes": null}, "labels": {"owner": ""}})

test_what_is_refused if {
	levels_of(careless) == {"health-check": "mandatory", "memory-limit": "mandatory", "owner-present": "mandatory"}
	decide(careless).allow == false
}

test_images_are_refused if {
	levels_of(f.built(object.union(f.image, {"user": "", "base": ["node"]}))) == {"image-tag": "mandatory", "image-user": "mandatory"}
}

test_what_can_be_waived if {
	levels_of(f.web({"env": {"A_TOKEN": "secret-word"}})) == {"env-likely-secret": "soft-mandatory"}
	levels_of(f.built(object.union(f.artifact, {"packages": [{"name": "a", "version": "1", "installScripts": true}]}))) == {"install-scripts": "soft-mandatory"}
}

test_a_careful_service if decide(f.good) == {"allow": true, "findings": set()}
