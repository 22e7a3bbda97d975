# Makes cbsem_fit.json: lavaan's adjusted tests and robust measures of fit about cbsem_answers.csv (simulated, see
# make_cbsem_data.py). Run in this folder: Rscript make_cbsem_fit.R
source_lines <- readLines("make_cbsem.R")
eval(parse(text = source_lines[1:(grep("^run <- function", source_lines) - 1)]))  # data, gaps, models

wrong <- "
  Quality =~ q1 + q2 + l3
  Value =~ v1 + v2 + v3
  Loyal =~ l1 + l2 + q3
"
joined <- ord  # so that every group has every category
for (k in items) joined[[k]] <- pmin(pmax(ord[[k]], 2), 4)
measures <- function(model, data, ...) {
  # saturated moments to more digits than the default
  fit <- suppressWarnings(sem(model, data, control = tight, optim.force.converged = TRUE,
    em.h1.iter.max = 10000, em.h1.tol = 1e-12, ...))
  found <- fitMeasures(fit)
  as.list(unclass(found[grepl("^(chisq|df|pvalue|cfi|tli|rmsea|baseline.chisq)", names(found))]))
}
out <- list(
  program = paste("lavaan", packageVersion("lavaan"), "on", R.version.string),
  mlmv = measures(full, d, estimator = "MLMV"),
  mlmv_wrong = measures(wrong, d, estimator = "MLMV"),
  mlmv_means = measures(full, d, estimator = "MLMV", meanstructure = TRUE),
  mlmv_groups = measures(full, d, estimator = "MLMV", group = "segment", group.equal = "loadings"),
  mlmv_exogenous = measures(causes, d, estimator = "MLMV"),
  mlm_exogenous = measures(causes, d, estimator = "MLM"),
  mlm_exogenous_means = measures(causes, d, estimator = "MLM", meanstructure = TRUE),
  mlmvs = measures(full, d, estimator = "MLMVS"),
  mlmvs_wrong = measures(wrong, d, estimator = "MLMVS"),
  fiml = measures(full, gaps, missing = "fiml"),
  fiml_wrong = measures(wrong, gaps, missing = "fiml"),
  fiml_wrong_mlr = measures(wrong, gaps, missing = "fiml", estimator = "MLR"),
  fiml_exogenous = measures(causes, gaps, missing = "fiml"),
  fiml_groups_mlr = measures(factors, gaps, missing = "fiml", estimator = "MLR", group = "segment"),
  wlsmv = measures(full, ord, ordered = items, estimator = "WLSMV"),
  wlsmv_wrong = measures(wrong, ord, ordered = items, estimator = "WLSMV"),
  wlsmv_groups = measures(factors, joined, ordered = items, estimator = "WLSMV", group = "segment"),
  wlsmv_metric = measures(factors, joined, ordered = items, estimator = "WLSMV", group = "segment", group.equal = "loadings"),
  ulsmv_wrong = measures(wrong, ord, ordered = items, estimator = "ULSMV")
)
writeLines(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null", null = "null"), "cbsem_fit.json")
