# Makes cbsem_corners.json: what lavaan says about cbsem_answers.csv (simulated, see make_cbsem_data.py) in corners that
# random models brought up: items that are measured and explained, restricted means, weighted groups, empty cells.
# Run in this folder: Rscript make_cbsem_corners.R
source_lines <- readLines("make_cbsem.R")
eval(parse(text = source_lines[1:(grep("^run <- function", source_lines) - 1)]))  # data, gaps, models

columns <- function(x, wanted) as.data.frame(x)[, intersect(wanted, names(x))]
run <- function(model, data, ..., control = tight) {
  fit <- suppressWarnings(sem(model, data, control = control, optim.force.converged = TRUE, ...))
  pe <- parameterEstimates(fit, remove.nonfree = FALSE, remove.eq = TRUE)
  found <- fitMeasures(fit)
  kept <- "^(chisq|df|cfi|tli|rmsea|srmr|baseline[.]chisq)"
  list(fit = fit, out = list(estimates = columns(pe, c("lhs", "op", "rhs", "group", "est", "se")),
    fit = as.list(unclass(found[grepl(kept, names(found)) & !grepl("robust|level|h0|pvalue|_bentler|_mplus|nomean", names(found))]))))
}
explained_item <- "
  Quality =~ q1 + q2 + q3
  Value =~ v1 + v2 + v3
  Value ~ Quality + age
  q2 ~ visits
"
equal_means <- paste(factors, "l1 ~ m*1\n l2 ~ m*1\n")
explained <- run(explained_item, d, meanstructure = TRUE)
mi <- modindices(explained$fit)
explained$out$mi <- columns(mi[!is.na(mi$mi), ], c("lhs", "op", "rhs", "mi", "epc", "sepc.all"))
explained$out$r2 <- as.list(lavInspect(explained$fit, "rsquare"))
explained$out$bartlett <- unclass(lavPredict(explained$fit, method = "Bartlett"))[1:5, ]
explained$out$regression <- unclass(lavPredict(explained$fit, method = "regression"))[1:5, ]
binary <- data.frame(b1 = d$q1 > 4.2, b2 = d$q2 > 8.7, b3 = d$q3 > 6.8, b4 = d$v1 > 6.5) + 0
print(table(binary$b1, binary$b2))
out <- list(
  program = paste("lavaan", packageVersion("lavaan"), "on", R.version.string),
  explained = explained$out,
  equal_means_mlm = run(equal_means, d, estimator = "MLM")$out,
  equal_means_mlmv = run(equal_means, d, estimator = "MLMV")$out,
  weighted_groups = run(factors, d, estimator = "MLR", group = "segment", sampling.weights = "weight",
    group.equal = c("loadings", "intercepts"))$out,
  weighted_groups_fiml = run(factors, gaps, estimator = "MLR", missing = "fiml", group = "segment",
    sampling.weights = "weight", group.equal = "loadings", em.h1.iter.max = 10000, em.h1.tol = 1e-12)$out,
  equal_variances = run(factors, d, group = "segment", std.lv = TRUE, group.equal = c("loadings", "lv.variances"))$out,
  measured_outcome = run(paste(second, "Loyal ~ age\n visits ~ Quality\n"), d)$out,
  empty_cell = run("General =~ b1 + b2 + b3 + b4", binary, ordered = names(binary), control = list())$out
)
writeLines(toJSON(out, digits = 10, auto_unbox = TRUE, na = "null", null = "null", dataframe = "columns"), "cbsem_corners.json")
