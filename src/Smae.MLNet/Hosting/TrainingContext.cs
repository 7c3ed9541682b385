namespace Smae.MLNet;

/// <summary>What a training takes from its <see cref="MLContext"/>, where several ranks train together too.</summary>
internal static class TrainingContext
{
    /// <summary>The options' seed; without one, the context draws it: the first rank's, for all.</summary>
    public static int SeedFrom(this TrainingOptions options, IHost host) =>
        options.Seed ?? options.Distributed?.FromFirst(host.Rand.Next) ?? host.Rand.Next();

    /// <summary>Writes lines to the context's log; on the first rank alone.</summary>
    public static Action<string> LogTo(this TrainingOptions options, IChannel channel) => message =>
    {
        if (options.Distributed is not { IsFirst: false }) channel.Info(MessageSensitivity.None, message);
    };
}
