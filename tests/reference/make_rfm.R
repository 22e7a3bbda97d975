# The scoring rule of R's package rfm (quantiles of type 7 plus 1, bins low <= x < high) in base R, on simulated
# orders: the data and the scores that tests/reference/test_rfm_rule.py compares with. The amounts are small and
# the customers many, so that totals fall on cut points, where the last bit decides.
# Run: Rscript tests/reference/make_rfm.R > tests/reference/rfm_rule.json      (R 4.2.2)
set.seed(36)
n <- 1500
id <- sample(1:301, n, replace = TRUE, prob = rgamma(301, .7))
age <- sample(0:364, n, replace = TRUE)
amount <- round(rgamma(n, 1.5, 2.5), 2)
amount[sample(n, 20)] <- -round(runif(20), 2)   # refunds are rows like all others there
amount[sample(n, 30)] <- round(runif(30), 2)           # below 1, where "plus 1" matters
who <- sort(unique(id))
recency <- as.vector(tapply(age, id, min)[as.character(who)])
frequency <- as.vector(table(id)[as.character(who)])
monetary <- as.vector(tapply(amount, id, sum)[as.character(who)])
score <- function(x, bins) {
  cuts <- quantile(x, seq(0, 1, length.out = bins + 1), type = 7, names = FALSE)[2:bins] + 1
  1 + rowSums(outer(x, cuts, ">="))
}
show <- function(x) paste0("[", paste(format(x, digits = 15, trim = TRUE, scientific = FALSE), collapse = ", "), "]")
out <- c(id = show(id), age = show(age), amount = show(amount), customer = show(who))
for (bins in 3:6) {
  code <- 100 * (bins + 1 - score(recency, bins)) + 10 * score(frequency, bins) + score(monetary, bins)
  out[paste0("rfm_", bins)] <- show(code)
}
cat("{\n", paste0('"', names(out), '": ', out, collapse = ",\n"), "\n}\n", sep = "")
