# Changes of scores between two answers of the same respondents under a design, by R's package survey: the data
# and the numbers that tests/reference/test_paired_design.py compares with.
# Run: Rscript tests/reference/make_paired.R > tests/reference/paired_design.json      (R 4.2.2, survey 4.1.1)
suppressMessages(library(survey))
set.seed(20261122)
n <- 240
d <- data.frame(region = sample(1:3, n, replace = TRUE), group = sample(c("a", "b"), n, replace = TRUE))
d$shop <- 10 * d$region + sample(1:6, n, replace = TRUE)
d$before <- pmin(10, pmax(0, round(rnorm(n, 7, 2) + d$shop %% 10 / 4)))
d$after <- pmin(10, pmax(0, round(.6 * d$before + rnorm(n, 3.4, 1.6))))
d$weight <- round(rgamma(n, 4, 4) + .1, 3)
d$before[sample(n, 12)] <- NA
d$shops <- 12   # of each region's shops, six are in the sample
net <- function(x) 100 * ((x >= 9) - (x <= 6))
d$change <- d$after - d$before
d$points <- net(d$after) - net(d$before)
design <- svydesign(ids = ~shop, strata = ~region, weights = ~weight, fpc = ~shops, data = d, nest = TRUE)
row <- function(form, sub) {
  m <- svymean(form, sub, na.rm = TRUE)
  df <- degf(sub)
  p <- 2 * pt(-abs(coef(m) / SE(m)), df)
  c(coef(m), SE(m), df, p)
}
out <- rbind(
  row(~change, design), row(~points, design),
  row(~change, subset(design, group == "a")), row(~change, subset(design, group == "b")),
  row(~points, subset(design, group == "a")), row(~points, subset(design, group == "b"))
)
show <- function(x) paste0("[", paste(ifelse(is.na(x), "null", format(x, digits = 15, trim = TRUE)), collapse = ", "), "]")
columns <- sapply(c("region", "shop", "before", "after", "weight", "shops"), function(c) paste0('"', c, '": ', show(d[[c]])))
cat("{\n", paste(columns, collapse = ",\n"), ',\n"group": [', paste0('"', d$group, '"', collapse = ", "), "],\n",
    '"expected": [', paste(apply(out, 1, show), collapse = ",\n"), "]\n}\n", sep = "")
