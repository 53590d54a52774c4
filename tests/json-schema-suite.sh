#!/bin/sh
# usage: json-schema-suite.sh BUILD   the JSON Schema Test Suite, draft 2020-12, on policy/json_schema.h
#
# Debian's own package of the suite, json-schema-test-suite, ends with draft 7. The drafts since then
# come with libtest-json-schema-acceptance-perl; only its files are wanted, so when it is not
# installed it is downloaded and unpacked below build/. JSON_SCHEMA_SUITE names another copy.
set -u
cd "$(dirname "$0")/.." || exit 2
build=$1
package=libtest-json-schema-acceptance-perl
inside=usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12

# Every file of the suite. optional/format is not run: formats are remarks here, but for one of ours.
files='additionalProperties allOf anchor anyOf boolean_schema const contains content default defs
dependentRequired dependentSchemas dynamicRef enum exclusiveMaximum exclusiveMinimum format id
if-then-else infinite-loop-detection items maxContains maxItems maxLength maxProperties maximum
minContains minItems minLength minProperties minimum multipleOf not oneOf pattern patternProperties
prefixItems properties propertyNames ref refRemote required type unevaluatedItems
unevaluatedProperties uniqueItems unknownKeyword vocabulary
optional/bignum optional/cross-draft optional/dependencies-compatibility
optional/ecmascript-regex optional/float-overflow optional/format-assertion
optional/no-schema optional/non-bmp-regex optional/refOfUnknownKeyword optional/unicode'

# What a schema of the suite may be refused for: keywords outside the subset anywhere, and where a
# file is about keywords that nobody knows, those of that file.
# shellcheck disable=SC2016 # $ is part of the names
outside='$anchor $id $dynamicAnchor $dynamicRef $ref:remote unevaluatedItems unevaluatedProperties'
outside="$outside contentMediaType contentEncoding dependencies vocabulary/\$schema"
outside="$outside format-assertion/\$schema unknownKeyword/array_of_schemas"
outside="$outside refOfUnknownKeyword/unknown-keyword"

suite=${JSON_SCHEMA_SUITE:-/$inside}
if [ ! -d "$suite" ]; then
	suite=build/json-schema-suite/$inside
	if [ ! -d "$suite" ]; then
		mkdir -p build/json-schema-suite
		(cd build/json-schema-suite && apt-get download -qq "$package" &&
			dpkg-deb -x "$package"_*.deb .) >/dev/null 2>&1
	fi
	if [ ! -d "$suite" ]; then
		tests/install-packages.sh "$package" || exit 1
		suite=/$inside
	fi
fi

paths=
for file in $files; do
	paths="$paths $suite/$file.json"
done
for path in "$suite"/*.json "$suite"/optional/*.json; do
	case " $paths " in
	*" $path "*) ;;
	*)
		echo "schema suite: $path is not listed in tests/json-schema-suite.sh; list it"
		exit 1
		;;
	esac
done
# shellcheck disable=SC2086 # paths of our own making
exec "$build/suite/json_schema_suite" "$outside" $paths
