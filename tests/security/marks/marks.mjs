// node marks.mjs HOST:PORT PATH...: what MDN's Observatory says of the first page, and csp_evaluator of each path.
// COOKIE is sent with every request: the scan is that of a device which has joined.
import axios from "axios";
import { scan } from "@mdn/mdn-http-observatory";
import evaluator from "csp_evaluator";
import parser from "csp_evaluator/dist/parser.js";

const [site, ...paths] = process.argv.slice(2);
const { COOKIE } = process.env;
axios.defaults.headers.common.Cookie = COOKIE;
const { scan: found, tests } = await scan(site);
const lost = Object.values(tests).filter(({ pass }) => !pass).map(({ result }) => result);
const policies = {};
for (const path of paths) {
  const answer = await fetch(`https://${site}${path}`, { redirect: "manual", headers: { cookie: COOKIE } });
  policies[`${answer.status} ${path}`] = answer.headers.get("content-security-policy");
}
const findings = Object.entries(policies).flatMap(([where, policy]) => {
  const judged = new evaluator.CspEvaluator(new parser.CspParser(policy).csp).evaluate();
  return judged.map(({ directive, value, description, severity }) => ({ where, directive, value, description, severity }));
});
const results = Object.fromEntries(Object.entries(tests).map(([name, { result, scoreModifier }]) => [name, [result, scoreModifier]]));
console.log(JSON.stringify({ grade: found.grade, score: found.score, status: found.statusCode, lost, results, policies, findings }));
