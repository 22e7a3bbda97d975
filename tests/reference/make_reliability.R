# Expected numbers for tests/reference/test_reliability_r.py: reliability and adequacy of scales, from R's psych.
#   Rscript tests/reference/make_reliability.R
# Reads survey_sample.csv (see make_survey.R); writes reliability_sample.csv (simulated here) and reliability_r.json
# beside this script. Needs the packages psych, GPArotation and jsonlite.
suppressMessages({library(psych); library(GPArotation); library(jsonlite)})
args <- commandArgs(FALSE)
here <- dirname(sub("--file=", "", args[grep("--file=", args)]))
set.seed(20261122)
steps <- function(latent, k) pmin(pmax(round((k + 1) / 2 + latent * (k - 1) / 4.2), 1), k)
n <- 160
one <- rnorm(n)
# r1 ... r6: one construct on 1..5, r4 asked the other way round
r <- sapply(1:6, function(i) steps(c(.9, .7, .8, -.75, .6, .85)[i] * one + rnorm(n, sd = .7), 5))
# t1 ... t8: two correlated constructs on 1..7, with missing answers
two <- rnorm(n); other <- .4 * two + sqrt(1 - .16) * rnorm(n)
t <- sapply(1:8, function(i) steps((if (i <= 4) two else other) * .8 + rnorm(n, sd = .6), 7))
t[sample(length(t), 60)] <- NA
colnames(r) <- paste0("r", 1:6); colnames(t) <- paste0("t", 1:8)
write.csv(data.frame(r, t), file.path(here, "reliability_sample.csv"), row.names = FALSE, na = "")
nine <- read.csv(file.path(here, "survey_sample.csv"))[, paste0("q", 1:9)]
quiet <- function(x) suppressWarnings(suppressMessages(x))

# psych's minimum residuals stop at a change of about 1e-6 and take no starting values. Its principal axes
# (fm = "pa") iterate communalities to the same optimum (Harman and Jones 1966: where communalities reproduce
# themselves, the residuals are smallest), and take min.err and max.iter; the rotation takes eps.
axes <- function(...) quiet(fa(..., fm = "pa", min.err = 1e-13, max.iter = 3000))
total <- function(R, m) 1 - sum(1 - axes(R, m, rotate = "none")$communality) / sum(R)
hierarchical <- function(R, m) {
  f <- axes(R, m, rotate = "oblimin", eps = 1e-12, maxit = 5000)
  general <- f$loadings %*% axes(f$Phi, 1)$loadings
  sum(general)^2 / sum(R)
}

numbers <- function(x) {
  x <- as.matrix(na.omit(x)); k <- ncol(x); R <- cor(x)
  a <- quiet(psych::alpha(x, warnings = FALSE, check.keys = FALSE))
  feldt <- alpha.ci(a$total$raw_alpha, nrow(x), k)
  ic <- ICC(x, lmer = FALSE)$results
  b <- cortest.bartlett(R, nrow(x))
  list(n = nrow(x), alpha = a$total$raw_alpha, alpha_std = a$total$std.alpha, lambda6 = a$total[["G6(smc)"]],
       average_r = a$total$average_r, ase = a$total$ase, feldt = c(feldt$lower.ci, feldt$upper.ci),
       alpha_drop = a$alpha.drop$raw_alpha, item_rest = a$item.stats$r.drop,
       kmo = KMO(R)$MSA, msa = unname(KMO(R)$MSAi), bartlett = c(b$chisq, b$p.value, b$df),
       icc = ic[, c("type", "ICC", "F", "p", "lower bound", "upper bound")],
       omega1 = total(R, 1), omega1_minres = 1 - sum(quiet(fa(R, 1))$uniquenesses) / sum(R))
}
turned <- r; turned[, 4] <- 6 - turned[, 4]
N <- cor(nine)
om <- quiet(omega(N, 3, n.obs = nrow(nine), plot = FALSE))
out <- list(
  r = R.version.string, psych = as.character(packageVersion("psych")),
  GPArotation = as.character(packageVersion("GPArotation")),
  one_reversed = numbers(r), one_turned = numbers(turned), two_missing = numbers(t),
  nine = list(omega1 = total(N, 1), omega3 = total(N, 3), omega_h = hierarchical(N, 3),
              omega3_minres = om$omega.tot, omega_h_minres = om$omega_h))
write_json(out, file.path(here, "reliability_r.json"), digits = I(16), auto_unbox = TRUE)
