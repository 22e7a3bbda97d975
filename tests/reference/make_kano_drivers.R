# Simulates ratings of a small service and computes with base R what key drivers, penalty-reward
# contrasts, Kano segments and the importance-performance lead should be.
# Run in this folder: Rscript make_kano_drivers.R   (R 4.2.2, jsonlite)
# Writes kano_drivers_sample.csv and kano_drivers.json, which test_kano_drivers_r.py reads.
suppressPackageStartupMessages(library(jsonlite))
set.seed(20260102)
n <- 240
halo <- rnorm(n)
rate <- function(level, own, spread) pmin(10, pmax(1, round(level + own * halo + rnorm(n, 0, spread))))
d <- data.frame(price = rate(6, .9, 1.8), service = rate(7, 1.3, 1.3), app = rate(6.5, .4, 2),
                shop = rate(7.5, 1.1, 1.5))
d$overall <- with(d, pmin(10, pmax(1, round(.8 + .35 * price + .3 * service + .05 * app + .15 * shop +
  rnorm(n, 0, 1)))))
d$again <- rbinom(n, 1, plogis(-6 + .5 * d$price + .35 * d$service))
d$w <- round(runif(n, .4, 2.5), 2)
d$region <- sample(c("north", "south", "west"), n, replace = TRUE)
kind <- ifelse(d$region == "west", sample(1:4, n, TRUE, c(.2, .2, .45, .15)), sample(1:4, n, TRUE, c(.4, .3, .15, .15)))
d$with_it <- c(1, 1, 2, 3)[kind]
d$without_it <- c(3, 5, 5, 4)[kind]
drivers <- c("price", "service", "app", "shop")
p <- length(drivers)

# Shapley value by its definition: the mean gain over all orders
orders <- function(v) if (length(v) < 2) list(v) else
  do.call(c, lapply(seq_along(v), function(i) lapply(orders(v[-i]), function(o) c(v[i], o))))
shapley <- function(value) {
  total <- setNames(numeric(p), drivers); all <- orders(drivers)
  for (o in all) for (k in seq_along(o))
    total[o[k]] <- total[o[k]] + value(o[seq_len(k)]) - value(o[seq_len(k - 1)])
  total / length(all)
}
r2 <- function(weights = NULL) function(set) if (!length(set)) 0 else
  summary(lm(reformulate(set, "overall"), d, weights = weights))$r.squared
null <- deviance(glm(again ~ 1, binomial, d))
mcfadden <- function(set) if (!length(set)) 0 else
  1 - deviance(glm(reformulate(set, "again"), binomial, d, epsilon = 1e-14, maxit = 100)) / null
values <- svd(cor(d[drivers]))
root <- values$u %*% diag(sqrt(values$d)) %*% t(values$u)
johnson <- drop(root^2 %*% solve(root, cor(d[drivers], d$overall))^2)

low <- sapply(d[drivers], function(x) as.numeric(x <= 5)); colnames(low) <- paste0("low_", drivers)
high <- sapply(d[drivers], function(x) as.numeric(x >= 9)); colnames(high) <- paste0("high_", drivers)
contrasts <- summary(lm(d$overall ~ low + high))$coefficients[-1, ]
square <- chisq.test(table(d$region, kind))
west <- subset(d, region == "west"); rest <- subset(d, region != "west")
lead <- t.test(rest$price, west$price)
out <- list(
  meta = list(R = R.version.string, script = "make_kano_drivers.R"),
  r2 = r2()(drivers), lmg = as.list(shapley(r2())), lmg_weighted = as.list(shapley(r2(d$w))),
  mcfadden = as.list(shapley(mcfadden)), johnson = as.list(setNames(johnson, drivers)),
  beta = as.list(coef(lm(scale(overall) ~ ., as.data.frame(scale(d[c(drivers, "overall")]))))[drivers]),
  slope_se = as.list(summary(lm(reformulate(drivers, "overall"), d))$coefficients[drivers, 2]),
  penalty = as.list(setNames(contrasts[1:p, 1], drivers)), penalty_se = as.list(setNames(contrasts[1:p, 2], drivers)),
  reward = as.list(setNames(contrasts[p + 1:p, 1], drivers)), reward_p = as.list(setNames(contrasts[p + 1:p, 4], drivers)),
  chisq = unname(square$statistic), chisq_df = unname(square$parameter), chisq_p = square$p.value,
  lead = unname(lead$estimate[1] - lead$estimate[2]), lead_ci = as.numeric(lead$conf.int)
)
write.csv(d, "kano_drivers_sample.csv", row.names = FALSE, quote = FALSE)
write_json(out, "kano_drivers.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
