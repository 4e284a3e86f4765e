package helix.secrets_test

import data.helix.fixtures as f
import data.helix.rules_test.plain

with_value(variable, value) := f.web({"env": {variable: value}})

# Put together here, so that nobody who looks for secrets in this repository finds any.
known := {
	"private key": concat("", ["-----BEGIN RSA PRIVATE", " KEY-----"]),
	"AWS access key": concat("", ["AKIA", "ABCDEFGHIJKLMNOP"]),
	"GitHub token": concat("", ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"]),
	"GitLab token": concat("", ["glpat-", "abcdefghijklmnopqrst"]),
	"Slack token": concat("", ["xoxb-", "0123456789-abc"]),
	"Stripe key": concat("", ["sk_live_", "0123456789abcdef"]),
	"Google API key": concat("", ["AIza", "0123456789abcdefghijklmnopqrstuvwxy"]),
	"npm token": concat("", ["npm_", "abcdefghijklmnopqrstuvwxyz0123456789"]),
	"JSON web token": concat("", ["eyJ", "hbGciOiJIUzI1", ".eyJzdWIiOiIx", ".SflKxwRJSMeKKF"]),
	"password in a URL": concat("", ["postgres://user:", "hunter22@host/db"]),
}

test_known_shapes if {
	count(known) == count(data.helix.secrets.patterns)
	every kind, value in known {
		f.texts(plain(with_value("SETTING", value))) == {["a secret from the store", kind]}
		f.broken(plain(with_value("SETTING", value))) == {"env-known-secret"}
		f.paths(plain(with_value("SETTING", value)), "env-known-secret") == {"services.web.env.SETTING"}
	}
}

test_masks_are_known_again if {
	every kind, _ in known {
		f.texts(plain(with_value("SETTING", sprintf("[masked: %s]", [kind])))) == {["a secret from the store", kind]}
	}
	f.broken(plain(with_value("SETTING", "[masked: likely secret]"))) == {"env-likely-secret"}
	count(plain(with_value("SETTING", "[masked: nothing]"))) == 0
}

# Two shapes in one value are one finding.
test_one_finding_a_variable if {
	count(plain(with_value("SETTING", concat(" ", [known["AWS access key"], known["Slack token"]])))) == 1
}

test_a_known_secret_is_not_called_likely_too if {
	f.broken(plain(with_value("API_TOKEN", known["AWS access key"]))) == {"env-known-secret"}
}

test_names if {
	every variable in ["PASSWORD", "DB_PASSWORD", "api_key", "SERVICE_TOKEN", "CLIENT_SECRET", "PRIVATE_KEY", "CREDENTIALS"] {
		f.broken(plain(with_value(variable, "abcdef"))) == {"env-likely-secret"}
		count(plain(with_value(variable, "abcde"))) == 0
	}
	every variable in ["TOKEN_TTL", "PASSWORD_FILE", "KEYBOARD", "MONKEY", "GREETING"] {
		count(plain(with_value(variable, "abcdef"))) == 0
	}
}

test_entropy if {
	every value in ["q8Zr2LmX7vTb4KpN9sWd1HcY", "3fA9kQz7Rw1Xv5Ty8Ub2Nc6Me0Lp4Ds"] {
		f.broken(plain(with_value("SETTING", value))) == {"env-likely-secret"}
		f.texts(plain(with_value("SETTING", value))) == {["a secret from the store", "a value that looks like a secret"]}
	}
}

test_no_entropy if {
	every value in [
		"q8Zr2LmX7vTb4KpN9sWd1Hc",
		"a sentence, with 9 words and much to say for itself",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
		"0123456789abcdef0123456789abcdef01234567",
		"https://example.org/a/path/that/is/long/1",
		"abcdefghijklmnopqrstuvwxyzABCDEF",
	] {
		count(plain(with_value("SETTING", value))) == 0
	}
}

# As many different characters as the longest value that is measured, and one more.
test_the_longest_value_that_is_measured if {
	unit := "q8Zr2LmX7vTb4KpN9sWd1HcYq3FgJ5Qe"
	longest := concat("", [unit | some _ in numbers.range(1, 8)])
	count(longest) == 256
	f.broken(plain(with_value("SETTING", longest))) == {"env-likely-secret"}
	count(plain(with_value("SETTING", concat("", [longest, "z"])))) == 0
}

# 32 characters, each twice: four bits exactly. 32, each once: five.
test_bits if {
	data.helix.rules.bits_per_character("00112233445566778899aabbccddeeff") == 4
	data.helix.rules.bits_per_character("0123456789abcdefghijklmnopqrstuv") == 5
	data.helix.rules.bits_per_character("aaaa") == 0
}

# A value of four bits exactly: the bound itself is not above it.
test_the_bound_of_entropy if {
	value := "00112233445566778899aabbccddeeff"
	count(plain(with_value("SETTING", value))) == 0 with data.helix.secrets.entropyBits as 4
	f.broken(plain(with_value("SETTING", value))) == {"env-likely-secret"} with data.helix.secrets.entropyBits as 3.9
}

test_every_service_and_variable if {
	both := f.input_of({"web": f.service, "worker": object.union(f.service, {"env": {"A": "b", "DB_PASSWORD": "abcdef"}})})
	f.paths(plain(both), "env-likely-secret") == {"services.worker.env.DB_PASSWORD"}
}
