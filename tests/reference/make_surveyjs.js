// Questionnaires and answers as SurveyJS's own library writes them, for tests/reference/test_surveyjs_library.py.
//   npm install survey-core@3.1.1 && node tests/reference/make_surveyjs.js
// Reads surveyjs_ours.json (what satmodels wrote); writes surveyjs_through.json (the same, read and written
// by the library, with one title edited) and surveyjs_library.json (an own questionnaire, and an answer to it).
const { Model } = require("survey-core");
const fs = require("fs");
const path = require("path");
const at = (name) => path.join(__dirname, name);
const write = (name, what) => fs.writeFileSync(at(name), JSON.stringify(what, null, 1) + "\n");

const ours = new Model(JSON.parse(fs.readFileSync(at("surveyjs_ours.json"), "utf8")));
if ((ours.jsonErrors || []).length > 0) throw new Error(JSON.stringify(ours.jsonErrors));
const untouched = ours.toJSON();
ours.getQuestionByName("q1").title = "Our staff?";
write("surveyjs_through.json", { untouched, edited: ours.toJSON() });

const own = new Model({
  pages: [{ name: "p", elements: [
    { type: "matrix", name: "m", columns: [1, 2, 3, 4, 5], rows: ["a", "b"] },
    { type: "matrixdropdown", name: "md", choices: ["x", "y"], rows: ["r1"],
      columns: [{ name: "c1", cellType: "rating" }, { name: "c2", cellType: "checkbox" }] },
    { type: "checkbox", name: "cb", choices: ["x", "y"], showOtherItem: true, showNoneItem: true },
    { type: "radiogroup", name: "rg", choices: [1, 2, 3], showOtherItem: true },
    { type: "multipletext", name: "mt", items: [{ name: "i1", inputType: "number" }, { name: "i2" }] },
    { type: "boolean", name: "bo" },
    { type: "slider", name: "sl" },
    { type: "ranking", name: "rk", choices: ["x", "y"] },
  ] }],
});
own.data = {
  m: { a: 4, b: 1 }, md: { r1: { c1: 3, c2: ["y"] } }, cb: ["x", "other"], "cb-Comment": "zz", rg: "other",
  "rg-Comment": "qq", mt: { i1: 5, i2: "t" }, bo: true, sl: 40, rk: ["y", "x"],
};
write("surveyjs_library.json", { questionnaire: own.toJSON(), answers: [own.data] });
