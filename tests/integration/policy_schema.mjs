// policy_schema.mjs SCHEMA FILE...: is the schema one of draft 2020-12, and do the files fit it? A
// file named *.bad.yaml must not. Prints how many of each.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import { parse } from 'yaml';

const [schemaFile, ...files] = process.argv.slice(2);
const ajv = new Ajv.default({ strict: true, allowUnionTypes: true, allErrors: true });
const schema = JSON.parse(readFileSync(schemaFile, 'utf8'));
if (!ajv.validateSchema(schema)) throw new Error(ajv.errorsText());
const fits = ajv.compile(schema);
let good = 0;
let bad = 0;
for (const file of files) {
	const ok = fits(parse(readFileSync(file, 'utf8')));
	if (ok === file.endsWith('.bad.yaml'))
		throw new Error(`${file}: ${ok ? 'fits' : ajv.errorsText(fits.errors)}`);
	if (ok) good++;
	else bad++;
}
console.log(`${good} fit, ${bad} do not`);
