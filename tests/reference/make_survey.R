# Expected numbers for tests/reference/test_survey_r.py: reliability, raking, distances, from R.
#   Rscript tests/reference/make_survey.R
# Writes survey_sample.csv (simulated here) and survey_r.json beside this script.
suppressMessages({library(psych); library(survey); library(jsonlite)})
args <- commandArgs(FALSE)
here <- dirname(sub("--file=", "", args[grep("--file=", args)]))
set.seed(20260321)
n <- 240
general <- rnorm(n)
groups <- matrix(rnorm(3 * n), n)
items <- sapply(1:9, function(i) {
  latent <- .6 * general + .55 * groups[, (i - 1) %/% 3 + 1] + rnorm(n, sd = .6)
  pmin(pmax(round(4 + 1.3 * latent), 1), 7)
})
colnames(items) <- paste0("q", 1:9)
sample <- data.frame(items, region = sample(c("n", "e", "s"), n, TRUE, c(.5, .3, .2)),
                     age = sample(c("young", "old"), n, TRUE, c(.7, .3)), w = round(runif(n, .5, 3), 3))
write.csv(sample, file.path(here, "survey_sample.csv"), row.names = FALSE)
a <- suppressWarnings(psych::alpha(items, warnings = FALSE))
feldt <- psych::alpha.ci(a$total$raw_alpha, n, 9)
rk <- rake(svydesign(~1, weights = ~w, data = sample), list(~region, ~age),
           list(data.frame(region = c("e", "n", "s"), Freq = c(300, 450, 250)),
                data.frame(age = c("old", "young"), Freq = c(400, 600))),
           control = list(maxit = 1000, epsilon = 1e-12))
total <- function(m) { f <- fa(items, m, rotate = "none", fm = "minres"); 1 - sum(f$uniquenesses) / sum(cor(items)) }
ratings <- items[1:40, 1:4]
ic <- psych::ICC(ratings, lmer = FALSE)$results
runs <- t(apply(items, 1, function(x) { r <- rle(x)$lengths; c(max(r), mean(r)) }))
out <- list(
  r = R.version.string, psych = as.character(packageVersion("psych")),
  survey = as.character(packageVersion("survey")),
  alpha = a$total$raw_alpha, alpha_std = a$total$std.alpha, lambda6 = a$total[["G6(smc)"]],
  average_r = a$total$average_r, ase = a$total$ase, feldt = c(feldt$lower.ci, feldt$upper.ci),
  alpha_drop = a$alpha.drop$raw_alpha, item_rest = a$item.stats$r.drop,
  omega1 = total(1), omega3 = total(3),
  kmo = KMO(items)$MSA, msa = unname(KMO(items)$MSAi),
  bartlett = cortest.bartlett(cor(items), n)$chisq,
  icc = ic[, c("type", "ICC", "F", "p", "lower bound", "upper bound")],
  mahalanobis = mahalanobis(items, colMeans(items), cov(items)),
  irv = apply(items, 1, sd),
  irv_parts = lapply(split(1:9, cut(1:9, 4, labels = FALSE)), function(part) apply(items[, part], 1, sd)),
  longstring = runs[, 1], average_string = runs[, 2],
  rake = unname(weights(rk)))
write_json(out, file.path(here, "survey_r.json"), digits = I(15), auto_unbox = TRUE)
