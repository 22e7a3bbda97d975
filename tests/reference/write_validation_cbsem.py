"""Write the table of docs/validation_cbsem.md: CBSEM beside lavaan, case by case. Run after make_cbsem.R.

python tests/reference/write_validation_cbsem.py
"""

from __future__ import annotations

import json

from compare_expected import BEGIN
from test_cbsem_lavaan import CASES, HERE, OPTIONS, OWN_DEFINITION, fitted

PAGE = HERE.parents[1] / "docs" / "validation_cbsem.md"
HEAD = """# Covariance models beside lavaan

Made by `tests/reference/write_validation_cbsem.py` from numbers of {program}, on simulated, skewed answers of 400
people (`tests/reference/cbsem_answers.csv`; the scripts that made data and numbers stand beside it). The test suite holds
every row of this table.

- *estimates*: largest difference in standard errors; *standard errors*: largest relative difference; *fit*: largest
  relative difference of chi-square, degrees of freedom, p-value, scaled statistics, CFI, TLI, RMSEA with interval,
  SRMR, log-likelihood, AIC and BIC, as far as lavaan gives them.
- lavaan's optimiser stops at a finite tolerance and it differentiates numerically where we have exact derivatives; what is left in
  this table is of that size.

| case | options | parameters | estimates | standard errors | fit | chi-square | df |
|---|---|---|---|---|---|---|---|
"""


def main() -> None:
    program = json.loads((HERE / "cbsem_lavaan.json").read_text())["program"]
    lines = [HEAD.format(program=program).rstrip("\n")]
    for name, options in OPTIONS.items():
        case, model = CASES[name], fitted(name)
        rows = {}
        for row in model.result_.tidy().to_dict("records"):
            key = (
                row.get("group") if row["op"] != ":=" else None,
                row["lhs"],
                row["op"],
                row["rhs"] if row["op"] != ":=" else "",
            )
            rows[key] = row
            rows.setdefault((key[0], row["rhs"], row["op"], row["lhs"]), row)
        estimate = error = fit = 0.0
        count = 0
        for e in case["estimates"]:
            if not e["se"] or (e["op"] == "~1" and "wlsmv" in name):
                continue
            if e["op"] in ("~1", "|") and name == "mixed_causes":
                continue  # at other values of age and visits, see the test
            group = model.groups_[e["group"] - 1] if "group" in options and e["op"] != ":=" else None
            row = rows[group, e["lhs"], e["op"], "" if e["op"] == ":=" else e["rhs"]]
            estimate = max(estimate, abs(row["estimate"] - e["est"]) / e["se"])
            error = max(error, abs(row["std_error"] / e["se"] - 1))
            count += 1
        measures = model.result_.fit_measures()
        for key, value in case["fit"].items():
            own = measures.get(key.replace(".", "_"))
            skipped = key.replace(".", "_") in OWN_DEFINITION["fiml"] and (
                "fiml" in name or "wlsmv" in name or "mixed" in name
            )
            if value is not None and own is not None and not skipped:
                fit = max(fit, abs(own - value) / max(1.0, abs(value)))
        words = ", ".join(f"{k}={v!r}" for k, v in options.items() if k != "ordered") or "defaults"
        lines.append(
            f"| {name} | `{words}` | {count} | {estimate:.0e} | {error:.0e} | {fit:.0e} | "
            f"{measures['chisq']:.4f} | {measures['df']:.0f} |"
        )
    rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)  # what compare_expected.py wrote stays
    PAGE.write_text("\n".join(lines) + "\n" + ("\n" + "".join(rest[1:]) if rest[1] else ""), encoding="utf-8")
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
