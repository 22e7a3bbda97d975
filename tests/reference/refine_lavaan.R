# Take lavaan's expected files to their stationary points, judged by lavaan's own gradient.
#
#   Rscript tests/reference/refine_lavaan.R FOLDER OUT.json
#
# FOLDER holds the JSON files (model, csv, options, group) of runs of lavaan; the data stands beside it as the field
# "csv" says. For every file: lavaan as it comes; lavaan restarted at its own last estimates until nothing moves
# (nlminb, then BFGS); then Newton steps on lavaan's own gradient and Hessian (lavInspect) until that gradient vanishes.
# What it writes are lavaan's estimates, standard errors and measures of fit at that point, and the gradients on the way.
suppressMessages({library(lavaan); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
ENOUGH <- 1e-11

gradient <- function(fit) {  # of the parameters that vary, equality constraints taken in
  g <- as.numeric(lavInspect(fit, "gradient"))
  k <- fit@Model@eq.constraints.K
  if (nrow(k) == length(g)) as.numeric(t(k) %*% g) else g
}
# lavaan at given values: nothing is optimised, but standard errors and tests are those of this point
at <- function(base, values) {
  table <- base$table
  table$est[table$free > 0] <- values[table$free[table$free > 0]]
  do.call("sem", c(list(model = base$model, start = table, optim.method = "none", optim.force.converged = TRUE), base$how))
}

newton <- function(base, from, best) {
  for (step in 1:12) {
    g <- gradient(from)
    h <- lavInspect(from, "hessian")
    k <- from@Model@eq.constraints.K
    table <- as.data.frame(parTable(from))
    x <- table$est[table$free > 0][order(table$free[table$free > 0])]
    change <- if (nrow(k) == nrow(h)) k %*% solve(t(k) %*% h %*% k, g) else solve(h, g)
    from <- try(suppressWarnings(at(base, x - as.numeric(change))), silent = TRUE)
    if (inherits(from, "try-error")) break
    now <- max(abs(gradient(from)))
    if (is.finite(now) && now < max(abs(gradient(best)))) best <- from
    if (now < ENOUGH) break
  }
  best
}

refine <- function(file) {
  e <- fromJSON(file.path(folder, file), simplifyVector = TRUE)
  d <- read.csv(file.path(dirname(dirname(folder)), e$csv))
  how <- c(list(data = d), lapply(as.list(e$options), function(v) if (is.list(v)) v else unlist(v)))
  how$control <- how$optim.force.converged <- NULL
  if (!is.null(e$group)) how$group <- e$group
  first <- suppressWarnings(do.call("sem", c(list(model = e$model), how)))
  moved <- first
  restarts <- 0
  # an inequality that holds with equality (as the only one of these files does) is an equation: lavaan's search with
  # inequalities ends where its penalty lets it
  constrained <- any(parTable(first)$op %in% c("<", ">"))
  if (constrained) {
    e$model <- gsub("[<>]", "==", e$model)
    moved <- suppressWarnings(do.call("sem", c(list(model = e$model), how)))
  }
  if (!constrained && max(abs(gradient(first))) > ENOUGH && !("ordered" %in% names(how)) && nrow(first@Model@ceq.JAC) == 0) {
    for (method in c("nlminb", "BFGS")) for (again in seq_len(if (is.null(how$missing)) 6 else 2)) {
      before <- coef(moved)
      chisq <- fitMeasures(moved, "chisq")
      control <- if (method == "nlminb") list(rel.tol = 1e-15, x.tol = 1e-15, abs.tol = 0, xf.tol = 1e-15,
        iter.max = 20000, eval.max = 40000) else list(reltol = 1e-16, maxit = 20000)
      kept <- moved
      try(moved <- suppressWarnings(do.call("sem", c(list(model = e$model, start = moved, optim.method = method,
        control = control, optim.force.converged = TRUE), how))), silent = TRUE)
      restarts <- restarts + 1
      if (!isTRUE(fitMeasures(moved, "chisq") <= chisq)) { moved <- kept; break }
      if (max(abs(coef(moved) - before)) == 0) break
    }
  }
  base <- list(model = e$model, table = as.data.frame(parTable(moved)), how = how)
  best <- moved
  for (from in list(moved, first)) {  # Newton steps on lavaan's gradient
    if (max(abs(gradient(best))) <= ENOUGH || (constrained && identical(from, first))) break
    best <- newton(base, from, best)
  }
  norm <- max(abs(gradient(best)))
  pe <- parameterEstimates(best, remove.nonfree = FALSE)
  pe <- pe[!pe$op %in% c("==", "<", ">"), ]
  message(sprintf("%-26s gradient %8.1e restarted %8.1e refined %8.1e chisq %.8f -> %.8f", file, max(abs(gradient(first))),
    max(abs(gradient(moved))), norm, fitMeasures(first, "chisq"), fitMeasures(best, "chisq")))
  list(gradient = max(abs(gradient(first))), restarted = max(abs(gradient(moved))), restarts = restarts, refined = norm,
    estimates = pe[, intersect(c("lhs", "op", "rhs", "group", "est", "se"), names(pe))], fit = as.list(unclass(fitMeasures(if (constrained) first else best))))
}

files <- sort(list.files(folder, pattern = "[.]json$"))
files <- files[files != "ord5_polychoric.json"]
if (length(args) > 2) files <- grep(args[3], files, value = TRUE)
out <- list()
for (f in files) out[[f]] <- try(refine(f))
out <- out[!vapply(out, inherits, TRUE, "try-error")]
writeLines(toJSON(out, digits = 15, auto_unbox = TRUE, na = "null", null = "null"), args[2])
