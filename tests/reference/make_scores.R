# Simulates a small stratified cluster sample and computes what R says about its scores.
# Run in this folder: Rscript make_scores.R   (R 4.2.2, survey 4.1-1, jsonlite)
# Writes scores_sample.csv and scores_survey.json, which test_scores_survey.py reads.
suppressPackageStartupMessages({library(survey); library(jsonlite)})
options(survey.lonely.psu = "fail")
set.seed(20260101)
strata <- rep(c("north", "south", "west"), c(8, 6, 7))          # of each of 21 clusters
size <- sample(4:9, length(strata), replace = TRUE)
d <- data.frame(region = rep(strata, size), shop = rep(sprintf("s%02d", seq_along(strata)), size))
n <- nrow(d)
d$shops <- c(north = 40, south = 20, west = 14)[d$region]        # clusters in the population
d$people <- c(north = 900, south = 300, west = 160)[d$region]    # people in the population
d$w <- round(runif(n, .5, 3) * d$people / table(d$region)[d$region], 3)
shift <- rnorm(length(strata), 0, 1)[rep(seq_along(strata), size)]
d$nps <- pmin(10, pmax(0, round(7 + shift + rnorm(n, 0, 2.5))))
d$q <- pmin(5, pmax(1, round(3.5 + shift / 2 + rnorm(n))))
d$q2 <- pmin(5, pmax(1, round(3 + shift / 2 + rnorm(n))))
d$sex <- sample(c("f", "m"), n, replace = TRUE)
d$nps[sample(n, 9)] <- NA
d$q[sample(n, 6)] <- NA
d$net <- 100 * (d$nps >= 9) - 100 * (d$nps <= 6)
d$top <- 100 * (d$q >= 4)
d$wave <- rep_len(0:3, n)
d$index <- 100 * ((d$q - 1) / 4 * .75 + (d$q2 - 1) / 4 * .25)

designs <- list(
  weights = svydesign(ids = ~1, weights = ~w, data = d),
  strata = svydesign(ids = ~1, strata = ~region, weights = ~w, fpc = ~people, data = d),
  clusters = svydesign(ids = ~shop, strata = ~region, weights = ~w, data = d),
  clusters_fpc = svydesign(ids = ~shop, strata = ~region, weights = ~w, fpc = ~shops, data = d),
  one_stratum = svydesign(ids = ~shop, weights = ~w, data = d)
)
jkn <- as.svrepdesign(designs$clusters, type = "JKn")
set.seed(7)
boot <- as.svrepdesign(designs$clusters, type = "subbootstrap", replicates = 30)
designs$jkn <- jkn
designs$bootstrap <- boot
replicates <- cbind(round(weights(jkn, "analysis"), 10), round(weights(boot, "analysis"), 10))
colnames(replicates) <- c(sprintf("j%02d", seq_len(ncol(weights(jkn)))), sprintf("b%02d", 1:30))

one <- function(design) {
  found <- list()
  for (v in c("net", "top", "q", "index")) {
    f <- as.formula(paste0("~", v))
    m <- svymean(f, design, na.rm = TRUE)
    answered <- eval(bquote(subset(design, !is.na(.(as.name(v))))))
    g <- svyby(f, ~sex, answered, svymean, covmat = TRUE)
    ci <- confint(m, df = degf(answered))
    t <- svyttest(as.formula(paste0(v, "~sex")), answered)
    found[[v]] <- list(mean = coef(m)[[1]], se = SE(m)[[1]], df = degf(answered), low = ci[1], high = ci[2],
      group_mean = unname(coef(g)), group_se = unname(SE(g)), group_cov = unname(vcov(g)[1, 2]),
      t = unname(t$statistic), t_df = unname(t$parameter), t_p = unname(t$p.value))
  }
  for (v in c("net", "top", "q", "index")) {  # slope over waves: least squares with weights 1 / se^2
    answered <- eval(bquote(subset(design, !is.na(.(as.name(v))))))
    g <- svyby(as.formula(paste0("~", v)), ~wave, answered, svymean, covmat = TRUE)
    u <- 1 / as.numeric(SE(g))^2
    x <- 0:3 - sum(u * 0:3) / sum(u)
    slope <- svycontrast(g, setNames(list(u * x / sum(u * x^2)), "slope"))
    found$trend[[v]] <- list(slope = coef(slope)[[1]], se = SE(slope)[[1]])
  }
  answered <- subset(design, !is.na(q))
  for (method in c("logit", "beta", "mean", "asin"))
    found$ciprop[[method]] <- unname(attr(svyciprop(~I(q >= 4), answered, method = method, df = degf(answered)), "ci"))
  found
}
results <- lapply(designs, one)
results$meta <- list(r = R.version.string, survey = as.character(packageVersion("survey")),
  jkn_scales = jkn$scale * jkn$rscales, boot_scales = boot$scale * boot$rscales)
keep <- c("region", "shop", "shops", "people", "w", "nps", "q", "q2", "sex")
write.csv(cbind(d[keep], replicates), "scores_sample.csv", row.names = FALSE, na = "", quote = FALSE)
write_json(results, "scores_survey.json", digits = I(17), auto_unbox = TRUE, pretty = FALSE)
