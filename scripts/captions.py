"""The pictures of docs/reproduction.md and what stands beside them; docs/cures.md describes its pictures likewise."""

PICTURES = {  # the most informative pictures of each
    "neuron": ["neuron"],
    "neuron-slow": ["neuron"],
    "overfitting": ["overfitting"],
    "overfitting-all": ["overfitting"],
    "initial-weights": ["curves"],
    "initial-weights-wide": ["curves"],
    "more-data": ["against"],
    "learning-rates": ["curves"],
    "depth": ["layers"],
    "slowdown": ["slowdown", "digits"],
    "tie": ["curves", "slowdown"],
    "precision": ["digits"],
}
SHOWN = {  # by a picture of each kind, for those who cannot see it
    "curves": "Validation accuracy and training cost during training",
    "slowdown": "Learning speed, badly wrong outputs and the speed of each layer during training",
    "digits": "The percentage of each digit that is recognized, for each variant and seed",
    "overfitting": "Cost and accuracy on the training and the test set during training",
    "against": "Validation accuracy against the setting that varies",
    "layers": "The speed of each layer during training, in a panel for each variant",
    "neuron": "Output, cost and gradient of the neuron by epoch",
    "cures": "Badly wrong outputs and validation accuracy during training, and the updates to some accuracies",
}
BESIDE = {  # what a picture or a table shows, or does not
    "chapter1-wide": (
        "The seeds differ so much because some networks never learn some digits: of these five two miss one digit "
        "and one misses two, and stay below 88 %; the other two learn all ten and end at 96.4 and 96.7 %. The book "
        "shows a run that learned all ten, and says that results vary. The reason is [the "
        "slowdown](#the-slowdown-large-initial-weights), which has the same runs."
    ),
    "neuron": (
        "The neuron is to turn an input of 1 into 0, from a mild start, w = 0.6 and b = 0.9, and a bad one, w = b = "
        "2. With the quadratic cost the gradient at the bad start is seven times smaller than at the mild one, 0.017"
        " against 0.122, and the output falls below ½ in epoch 232, from the mild start in epoch 36. With "
        "cross-entropy it is the larger one, 0.98 against 0.82: the bad start, which has further to go, passes ½ in "
        "epoch 17, the mild one in epoch 8. Each cost is drawn in its own unit."
    ),
    "overfitting": (
        "Where variants differ in λ, their costs, which include the penalty on weights, cannot be compared. So the "
        "picture has the cost of λ = 0 alone, and of both the test cost minus the training cost, in which the "
        "penalty cancels: the wider this gap, the more a network overfits. The star is at the lowest point of the "
        "mean curve, epoch 14; the table has the mean of the seeds' own lowest points, epoch 16 ± 3."
    ),
    "overfitting-all": (
        "As above, the picture has the cost of λ = 0 alone, and of both the test cost minus the training cost. Its "
        "training figures are those of the first 1,000 examples, the table has those of all."
    ),
    "initial-weights": (
        "In accuracy scaled weights are 5.7 points ahead after the first epoch, 0.3 after the last. The cost "
        "includes the penalty on weights, (λ/2n) Σw² with λ = 5. From large initial weights that begins at 1.19 and "
        "is still 1.08 after the first epoch, from scaled ones 0.03: most of the gap between the costs is this "
        "penalty."
    ),
    "initial-weights-wide": (
        "In accuracy scaled weights are 2.9 points ahead after the first epoch, 0.3 after the last. The cost "
        "includes the penalty on weights, as above: from large initial weights, of which there are more, it begins "
        "at 3.97, is 3.6 of the cost of 4.3 after the first epoch, and two thirds of it after the last."
    ),
    "learning-rates": (
        "With η = 0.25 the cost falls fastest and soon changes little; with 0.025 it falls smoothly and has nearly "
        "caught up after 30 epochs; with 2.5 it stays about 0.8 and jumps, since each step goes too far. The cost "
        "includes the penalty on weights for λ = 5. The picture has that of the first 1,000 training examples, the "
        "table that of all."
    ),
    "depth": (
        "The picture shows what hinders deep networks: the speed at which each layer learns, which is the length of "
        "∂C/∂b. Layers are counted from the input; the last one is the output layer. At first each layer learns "
        "several times more slowly than the one after it; after an epoch or two all learn about equally fast."
    ),
    "slowdown": (
        "First picture: learning speed is Σ|δ| / Σ|a − y| at the output, 1 with cross-entropy and at most ¼ with the "
        "quadratic cost; an output is badly wrong where |a − y| > 0.9. Second picture: how much of each digit a "
        "network recognizes. Outputs that the quadratic cost leaves badly wrong are digits that a network does not "
        "learn, hence the range of its accuracy."
    ),
    "tie": (
        "In the first picture the bands overlap after a few epochs; each cost is drawn in its own unit. The second "
        "one shows that the slowdown is there too, but brief: the first updates drive all outputs towards 0, so that "
        "for a while a tenth of them, those that should be 1, are badly wrong, and learn slowly with the quadratic "
        "cost. By update 1,000, a fifth of the first epoch, that is over."
    ),
    "precision": (
        "A cell of 0 or nearly 0 is a digit that a network did not learn. With the quadratic cost there are such "
        "digits in both precisions, four in float32 and five in float64, each in three of the five seeds; which "
        "digits, and in which seeds, is decided by rounding. With cross-entropy there are none."
    ),
}
