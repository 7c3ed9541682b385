namespace Microsoft.ML.Runtime;

/// <summary>What components get their hosts, channels and random numbers from.</summary>
public interface IHostEnvironment : IChannelProvider, IProgressChannelProvider
{
    ComponentCatalog ComponentCatalog { get; }

    IHost Register(string name, int? seed = null, bool? verbose = null);
}
