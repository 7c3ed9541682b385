using Smae.Training;

namespace Reproduction;

/// <summary>A row of the table: a way to pretrain. Another one is another line of <see cref="All"/>.</summary>
/// <param name="Key">Its name on the command line and its folder's.</param>
/// <param name="Name">Its name in the table.</param>
/// <param name="Masking">What is hidden, as the table has it.</param>
/// <param name="Pretraining">How it pretrains, at the scale of a plan; null is not at all.</param>
/// <param name="Optional">Whether it is left out unless it is asked for.</param>
internal sealed record Method(string Key, string Name, string Masking, Func<Plan, MaePretrainOptions>? Pretraining, bool Optional = false)
{
    private const string Random = "random 75%", Block = "block 50%";
    private static readonly Masking s_block = Smae.Training.Masking.Block(0.5);

    public static IReadOnlyList<Method> All { get; } =
    [
        new("none", "from scratch", "", null),
        new("mae-random", "MAE", Random, plan => plan.Mae),
        new("mae-block", "MAE", Block, plan => plan.Mae with { Masking = s_block }),
        new("smae-random", "SMAE 0.5", Random, plan => plan.Smae(0.5)),
        new("smae-block", "SMAE 0.5", Block, plan => plan.Smae(0.5) with { Masking = s_block }),
        new("smae1-random", "SMAE 1.0", Random, plan => plan.Smae(1), Optional: true),
        new("smae1-block", "SMAE 1.0", Block, plan => plan.Smae(1) with { Masking = s_block }, Optional: true),
    ];
}
