# What lme4, lmerTest and emmeans say of the studies that simulate_studies.py wrote.
#
#   Rscript tests/reference/mixed_effects.R
#
# Values in the tests: R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, emmeans 1.8.4 (Debian bookworm: r-base-core r-cran-lme4
# r-cran-lmertest r-cran-emmeans). The optimiser goes on until the estimates no longer move in the eighth digit.

suppressPackageStartupMessages({library(lme4); library(lmerTest); library(emmeans)})
emm_options(lmer.df = "satterthwaite")

folder <- "tests/reference/studies"
variables <- c("accuracy", "diversity", "novelty", "serendipity")
control <- lmerControl(
  optimizer = "nloptwrap",
  optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-14, xtol_rel = 1e-14, ftol_abs = 1e-14, ftol_rel = 1e-15,
                 maxeval = 100000))
full <- function(x) format(x, digits = 12, scientific = TRUE, trim = TRUE)

complete_cases <- function(table, variable, showings) {
  rows <- data.frame(participant = table$participant, engine = table$engine, repetition = table$repetition,
                     rating = table[[variable]])
  rows <- rows[!is.na(rows$rating), ]
  if (showings == "first") rows <- rows[rows$repetition == 1, ]
  if (showings == "mean") rows <- aggregate(rating ~ participant + engine, data = rows, FUN = mean)
  rows$participant <- factor(rows$participant)
  rows$engine <- factor(rows$engine, levels = sort(unique(rows$engine), method = "radix"))
  rows
}

fitted_numbers <- function(study, variable, showings) {
  table <- read.csv(file.path(folder, paste0(study, ".csv")), na.strings = "")
  rows <- complete_cases(table, variable, showings)
  model <- lmer(rating ~ engine + (1 | participant), data = rows, REML = TRUE, control = control)
  variances <- as.data.frame(VarCorr(model))$vcov
  means <- emmeans(model, ~ engine, data = rows)
  intervals <- as.data.frame(summary(means, infer = c(TRUE, FALSE)))
  raw <- as.data.frame(summary(pairs(means, adjust = "none")))
  holm <- as.data.frame(summary(pairs(means, adjust = "holm")))
  pairs_of <- combn(levels(rows$engine), 2)
  id <- data.frame(study = study, showings = showings, variable = variable)
  list(
    varcomp = cbind(id, var_participant = full(variances[1]), var_residual = full(variances[2]),
                    reml_loglik = full(as.numeric(logLik(model))), nobs = nobs(model),
                    n_participants = nlevels(rows$participant), singular = isSingular(model)),
    emmeans = cbind(id, engine = levels(rows$engine), emmean = full(intervals$emmean), se = full(intervals$SE),
                    df = full(intervals$df), lower95 = full(intervals$lower.CL), upper95 = full(intervals$upper.CL)),
    contrasts = cbind(id, engine_a = pairs_of[1, ], engine_b = pairs_of[2, ], estimate = full(raw$estimate),
                      se = full(raw$SE), df = full(raw$df), statistic = full(raw$t.ratio), p_raw = full(raw$p.value),
                      p_holm = full(holm$p.value)))
}

studies <- sub("\\.csv$", "", sort(list.files(folder, pattern = "^[a-z-]+\\.csv$"), method = "radix"))
everything <- list()
for (study in setdiff(studies, c("expected-varcomp", "expected-emmeans", "expected-contrasts")))
  for (showings in c("mean", "first", "all"))
    for (variable in variables)
      everything[[length(everything) + 1]] <- suppressMessages(fitted_numbers(study, variable, showings))

for (name in c("varcomp", "emmeans", "contrasts"))
  write.csv(do.call(rbind, lapply(everything, `[[`, name)), file.path(folder, paste0("expected-", name, ".csv")),
            row.names = FALSE, quote = FALSE)
