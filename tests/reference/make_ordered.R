# Makes ordered_lavaan.json: what lavaan says about ordered_answers.csv (simulated, see make_ordered_data.py).
# Run in this folder: Rscript make_ordered.R
library(lavaan)
library(jsonlite)

d <- read.csv("ordered_answers.csv", colClasses = c(language = "character"))
two <- d[d$language != "it", ]
q <- paste0("q", 1:4)
v <- paste0("v", 1:3)
b <- paste0("b", 1:4)
gaps <- d
for (k in c(q, v, paste0("s", 1:3))) gaps[d[[paste0("gap_", k)]] == 1, k] <- NA
gaps_two <- gaps[gaps$language != "it", ]

plain <- "
  Quality =~ q1 + q2 + q3 + q4
  Value =~ v1 + v2 + v3
"
paths <- paste(plain, "  Value ~ Quality\n")
mixed <- paste(plain, "
  Spend =~ s1 + s2 + s3
  Spend ~ Value
  Value ~ Quality
")
binary <- "Quality =~ b1 + b2 + b3 + b4\n"
# Wu and Estabrook (2016): with equal thresholds intercepts and scaling factors are free, means of constructs are 0
# (lavaan frees the intercept of an ordered item only where it has labels)
free_intercepts <- paste0(c(paste0("  ", c(q, v), " ~ c(0, NA)*1 + c(", c(q, v), "a, ", c(q, v), "b)*1"),
  paste0("  ", c("Quality", "Value"), " ~ c(0, 0)*1")), "\n", collapse = "")
written <- paste(plain, "
  q1 | c(t1a, t1a)*t1 + c(t2a, t2a)*t2
  q1 | -0.1*t3
  q2 | start(1)*t4
  q1 ~*~ c(1, NA)*q1
  q1 ~ c(0, NA)*1 + c(n1, n2)*1
")

fits <- list()
run <- function(name, model, data, ...) {
  fit <- suppressWarnings(cfa(model, data, ...))
  if (!lavInspect(fit, "converged")) stop(name, " did not converge")
  fits[[name]] <<- fit
  pe <- parameterEstimates(fit, remove.nonfree = FALSE)
  pe <- pe[!pe$op %in% c("==", ">", "<"), ]
  columns <- intersect(c("lhs", "op", "rhs", "group", "est", "se"), names(pe))
  ss <- standardizedSolution(fit)
  ss <- ss[!ss$op %in% c("==", ">", "<"), ]
  fm <- fitMeasures(fit)
  wanted <- c("chisq", "df", "chisq.scaled", "chisq.scaling.factor", "baseline.chisq", "baseline.df", "baseline.chisq.scaled",
    "cfi", "tli", "cfi.scaled", "tli.scaled", "rmsea", "rmsea.ci.upper", "rmsea.scaled", "rmsea.ci.upper.scaled", "srmr")
  fm <- fm[intersect(wanted, names(fm))]
  list(name = name, model = model, estimates = pe[, columns],
    standardized = ss[, intersect(c("lhs", "op", "rhs", "group", "est.std", "se"), names(ss))], fit = as.list(unclass(fm)))
}

qv <- c(q, v)
cases <- list(
  run("configural", plain, two, group = "language", ordered = qv),
  run("configural_paths", paths, d, group = "language", ordered = qv),
  run("thresholds", plain, two, group = "language", ordered = qv, group.equal = "thresholds"),
  run("thresholds_we", paste0(plain, free_intercepts), two, group = "language", ordered = qv, group.equal = "thresholds"),
  run("metric_we", paste0(plain, free_intercepts), two, group = "language", ordered = qv,
    group.equal = c("thresholds", "loadings")),
  run("loadings", plain, two, group = "language", ordered = qv, group.equal = "loadings"),
  run("scalar", plain, two, group = "language", ordered = qv, group.equal = c("thresholds", "loadings")),
  run("scalar_three", plain, d, group = "language", ordered = qv, group.equal = c("thresholds", "loadings")),
  run("scalar_unit_variance", plain, d, group = "language", ordered = qv, group.equal = c("thresholds", "loadings"), std.lv = TRUE),
  run("scalar_theta", plain, two, group = "language", ordered = qv, group.equal = c("thresholds", "loadings"),
    parameterization = "theta"),
  run("strict", plain, two, group = "language", ordered = qv, group.equal = c("thresholds", "loadings", "residuals"),
    parameterization = "theta"),
  run("strict_three", plain, d, group = "language", ordered = qv, group.equal = c("thresholds", "loadings", "residuals"),
    parameterization = "theta"),
  run("theta", paths, d, ordered = qv, parameterization = "theta"),
  run("partial", plain, two, group = "language", ordered = qv, group.equal = c("thresholds", "loadings"),
    group.partial = c("q2|t2", "Value=~v3")),
  run("scalar_ulsmv", plain, two, group = "language", ordered = qv, group.equal = c("thresholds", "loadings"), estimator = "ULSMV"),
  run("scalar_dwls", plain, two, group = "language", ordered = qv, group.equal = c("thresholds", "loadings"), estimator = "DWLS",
    se = "robust.sem"),
  run("binary", binary, d, group = "language", ordered = b, group.equal = "loadings"),
  run("mixed", mixed, d, group = "language", ordered = qv),
  run("mixed_scalar", mixed, d, group = "language", ordered = qv, group.equal = c("thresholds", "loadings", "intercepts")),
  run("mixed_theta", mixed, d, group = "language", ordered = qv, group.equal = c("thresholds", "loadings", "intercepts", "residuals"),
    parameterization = "theta"),
  run("written", written, two, group = "language", ordered = qv),
  run("weights", paths, d, ordered = qv, sampling.weights = "weight"),
  run("weights_groups", plain, two, group = "language", ordered = qv, sampling.weights = "weight",
    group.equal = c("thresholds", "loadings")),
  run("pairwise", paths, gaps, ordered = qv, missing = "pairwise"),
  run("pairwise_groups", plain, gaps_two, group = "language", ordered = qv, missing = "pairwise",
    group.equal = c("thresholds", "loadings")),
  run("listwise", paths, gaps, ordered = qv),
  run("numbers_partial", "Spend =~ s1 + s2 + s3\nValue =~ v1 + v2 + v3", d, group = "language",
    group.equal = c("loadings", "intercepts"), group.partial = c("s2~1", "Value=~v3")),
  run("numbers_scalar", "Spend =~ s1 + s2 + s3\nValue =~ v1 + v2 + v3", d, group = "language",
    group.equal = c("loadings", "intercepts"))
)

difference <- function(free, tied) {
  t <- suppressWarnings(lavTestLRT(fits[[free]], fits[[tied]]))
  list(free = free, tied = tied, chisq = t[2, "Chisq diff"], df = t[2, "Df diff"], pvalue = t[2, "Pr(>Chisq)"])
}
differences <- list(
  difference("configural", "thresholds_we"), difference("thresholds_we", "metric_we"), difference("metric_we", "scalar"),
  difference("scalar_theta", "strict"), difference("configural", "scalar"), difference("mixed", "mixed_scalar"),
  difference("configural", "scalar_theta")
)
released <- function(name) {
  s <- suppressWarnings(lavTestScore(fits[[name]]))
  pt <- parTable(fits[[name]])
  at <- match(s$uni$lhs, pt$plabel)
  other <- match(s$uni$rhs, pt$plabel)
  list(name = name, total = s$test$X2, df = s$test$df,
    rows = data.frame(lhs = pt$lhs[at], op = pt$op[at], rhs = pt$rhs[at], group = pt$group[other], X2 = s$uni$X2))
}
scores <- list(released("scalar"), released("scalar_three"), released("numbers_scalar"))
out <- list(program = paste("lavaan", packageVersion("lavaan"), "on", R.version.string), groups = unique(two$language),
  three = unique(d$language), cases = cases, differences = differences, scores = scores)
writeLines(toJSON(out, dataframe = "columns", digits = 8, auto_unbox = TRUE, na = "null", null = "null"), "ordered_lavaan.json")
