using Smae.Training;

namespace Reproduction;

/// <summary>A row of the table: a way to pretrain. Another one is another line of <see cref="All"/>.</summary>
/// <param name="Key">Its name on the command line and its folder's.</param>
/// <param name="Name">Its name in the table.</param>
/// <param name="Masking">What is hidden, as the table has it.</param>
/// <param name="Pretraining">How it pretrains, at the scale of a plan; null is not at all.</param>
internal sealed record Method(string Key, string Name, string Masking, Func<Plan, MaePretrainOptions>? Pretraining)
{
    /// <summary>The row that the cost of the others is measured by.</summary>
    public const string Baseline = "mae-random";

    private const string Random = "random 75%", Block = "block 50%";
    private static readonly Masking s_block = Smae.Training.Masking.Block(0.5);

    /// <summary>What must be trained first.</summary>
    public Helper Helper { get; init; } = Helper.None;

    /// <summary>Whether it is left out unless it is asked for.</summary>
    public bool Optional { get; init; }

    public static IReadOnlyList<Method> All { get; } =
    [
        new("none", "from scratch", "", null),
        new(Baseline, "MAE", Random, plan => plan.Mae),
        new("mae-block", "MAE", Block, plan => plan.Mae with { Masking = s_block }),
        new("smae-random", "SMAE 0.5", Random, plan => plan.Smae(0.5)) { Helper = Helper.Critic },
        new("smae-block", "SMAE 0.5", Block, plan => plan.Smae(0.5) with { Masking = s_block }) { Helper = Helper.Critic },
        new("smae1-random", "SMAE 1.0", Random, plan => plan.Smae(1)) { Helper = Helper.Critic, Optional = true },
        new("smae1-block", "SMAE 1.0", Block, plan => plan.Smae(1) with { Masking = s_block }) { Helper = Helper.Critic, Optional = true },
        new("pixmim", "PixMIM", Random, plan => plan.PixMim),
        new("mff", "MFF (MAE)", Random, plan => plan.Mff),
        new("mff-smae", "MFF (SMAE 0.5)", Random, plan => plan.Mff with { Objective = plan.Smae(0.5).Objective })
        {
            Helper = Helper.Critic, Optional = true,
        },
        new("mff-pixmim", "MFF (PixMIM)", Random, plan => plan.Mff with { Objective = plan.PixMim.Objective }) { Optional = true },
        new("dmae", "DMAE", Random, plan => plan.Dmae) { Helper = Helper.Teacher },
        new("dmae-raw", "DMAE, raw features", Random, plan => plan.RawDmae) { Helper = Helper.Teacher, Optional = true },
        new("sdae", "SdAE", Random, plan => plan.Sdae),
        new("dino", "DINO", "", plan => plan.Dino),
    ];
}
