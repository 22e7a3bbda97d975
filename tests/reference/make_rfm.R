# The scoring rule of R's package rfm (quantiles of type 7 plus 1, bins low <= x < high) in base R, on simulated
# orders: the data and the scores that tests/reference/test_rfm_rule.py compares with.
# Run: Rscript tests/reference/make_rfm.R > tests/reference/rfm_rule.json      (R 4.2.2)
set.seed(20260630)
n <- 700
id <- sample(1:120, n, replace = TRUE, prob = rgamma(120, .7))
age <- sample(0:364, n, replace = TRUE)
amount <- round(rgamma(n, 1.5, .05), 2)
amount[sample(n, 20)] <- -round(runif(20, 1, 30), 2)   # refunds are rows like all others there
amount[sample(n, 30)] <- round(runif(30), 2)           # below 1, where "plus 1" matters
who <- sort(unique(id))
recency <- as.vector(tapply(age, id, min)[as.character(who)])
frequency <- as.vector(table(id)[as.character(who)])
monetary <- as.vector(tapply(amount, id, sum)[as.character(who)])
score <- function(x, bins) {
  cuts <- quantile(x, seq_len(bins - 1) / bins, type = 7, names = FALSE) + 1
  1 + rowSums(outer(x, cuts, ">="))
}
show <- function(x) paste0("[", paste(format(x, digits = 15, trim = TRUE, scientific = FALSE), collapse = ", "), "]")
out <- c(id = show(id), age = show(age), amount = show(amount), customer = show(who))
for (bins in 3:6) {
  code <- 100 * (bins + 1 - score(recency, bins)) + 10 * score(frequency, bins) + score(monetary, bins)
  out[paste0("rfm_", bins)] <- show(code)
}
cat("{\n", paste0('"', names(out), '": ', out, collapse = ",\n"), "\n}\n", sep = "")
