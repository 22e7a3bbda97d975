# Makes cbsem_lavaan.json: what lavaan says about cbsem_answers.csv (simulated, see make_cbsem_data.py).
# Run in this folder: Rscript make_cbsem.R
library(lavaan)
library(jsonlite)

d <- read.csv("cbsem_answers.csv")
d$segment <- as.character(d$segment)
items <- c("q1", "q2", "q3", "v1", "v2", "v3", "l1", "l2", "l3")
gaps <- d
for (k in seq_along(items)) gaps[d[[paste0("gap", k)]] == 1, items[k]] <- NA
ord <- d
for (k in items) ord[[k]] <- as.integer(cut(d[[k]], c(-Inf, 5, 6, 7, 8, Inf)))
some <- c("v1", "v2", "v3", "l1")
mixed <- d
for (k in some) mixed[[k]] <- as.integer(cut(d[[k]], c(-Inf, 5, 6, 7, 8, Inf)))
tight <- list(rel.tol = 1e-14, iter.max = 20000, eval.max = 40000)

full <- "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Loyal =~ l1 + l2 + l3
  Value ~ a*Quality
  Loyal ~ b*Value + c*Quality
  indirect := a*b
  total := c + a*b
"
factors <- "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Loyal =~ l1 + l2 + l3
"
causes <- "
  Quality =~ q1 + q2 + q3
  Loyal =~ l1 + l2 + l3
  Quality ~ age + visits
  Loyal ~ Quality + age
"
second <- "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Loyal =~ l1 + l2 + l3
  General =~ Quality + Value + Loyal
"
tied <- "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + m*v2 + n*v3
  Loyal =~ l1 + l2 + l3
  q1 ~~ l1
  m == 0.9*n
"

# its constrained optimiser ignores the constraint under the tight tolerance, and its search goes astray in mixed cases,
# so these run as they come
run <- function(name, model, data, ..., control = tight) {
  fit <- suppressWarnings(sem(model, data, control = control, optim.force.converged = TRUE, ...))
  pe <- parameterEstimates(fit, remove.nonfree = FALSE)
  pe <- pe[!pe$op %in% c("==", "~*~"), ]
  keep <- intersect(c("lhs", "op", "rhs", "group", "est", "se"), names(pe))
  fm <- fitMeasures(fit)
  wanted <- c("npar", "chisq", "df", "pvalue", "chisq.scaled", "chisq.scaling.factor", "baseline.chisq", "baseline.df",
    "cfi", "tli", "cfi.robust", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.robust", "srmr", "logl", "aic", "bic")
  # with gaps or ordered answers lavaan's are of the weights it happens to use
  if (is.null(list(...)$missing) && is.null(list(...)$ordered)) wanted <- c(wanted, "gfi", "agfi", "pgfi")
  fm <- fm[intersect(wanted, names(fm))]
  list(name = name, model = model, options = list(...)[setdiff(names(list(...)), "ordered")],
    estimates = pe[, keep], fit = as.list(unclass(fm)))
}

cases <- list(
  run("ml", full, d),
  run("mlr", full, d, estimator = "MLR"),
  run("mlm", full, d, estimator = "MLM"),
  run("gls", full, d, estimator = "GLS"),
  run("means", full, d, meanstructure = TRUE),
  run("fiml", full, gaps, missing = "fiml"),
  run("fiml_mlr", full, gaps, missing = "fiml", estimator = "MLR"),
  run("exogenous", causes, d),
  run("exogenous_mlr", causes, d, estimator = "MLR"),
  run("exogenous_fiml", causes, gaps, missing = "fiml"),
  run("second_order", second, d),
  run("tied", tied, d, control = list()),
  run("unit_variance", factors, d, std.lv = TRUE),
  run("groups", full, d, group = "segment"),
  run("metric", factors, d, group = "segment", group.equal = "loadings"),
  run("metric_mlm", factors, d, group = "segment", group.equal = "loadings", estimator = "MLM"),
  run("exogenous_means", causes, d, meanstructure = TRUE),
  run("scalar_mlr", factors, d, group = "segment", group.equal = c("loadings", "intercepts"), estimator = "MLR"),
  run("fiml_groups", factors, gaps, group = "segment", missing = "fiml"),
  run("weights", full, d, sampling.weights = "weight", estimator = "MLR"),
  run("clusters", full, d, cluster = "shop", estimator = "MLR"),
  run("wlsmv", factors, ord, ordered = items, estimator = "WLSMV"),
  run("wlsmv_paths", full, ord, ordered = items, estimator = "WLSMV"),
  run("mixed", full, mixed, ordered = some, estimator = "WLSMV", control = list()),
  run("mixed_ulsmv", factors, mixed, ordered = some, estimator = "ULSMV", control = list()),
  run("mixed_dwls", factors, mixed, ordered = some, estimator = "DWLS", control = list()),
  run("mixed_causes", causes, mixed, ordered = "l1", estimator = "WLSMV", fixed.x = FALSE, conditional.x = FALSE, control = list())
)
modal <- function(data, ...) {
  fit <- suppressWarnings(sem(full, data, estimator = "WLSMV", ...))
  unclass(lavPredict(fit))[1:12, ]
}
scores <- list(wlsmv_paths = modal(ord, ordered = items), mixed = modal(mixed, ordered = some))
out <- list(program = paste("lavaan", packageVersion("lavaan"), "on", R.version.string), cases = cases, scores = scores)
writeLines(toJSON(out, digits = 10, auto_unbox = TRUE, na = "null", null = "null"), "cbsem_lavaan.json")
