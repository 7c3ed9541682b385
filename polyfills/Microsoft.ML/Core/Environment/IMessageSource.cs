namespace Microsoft.ML.Runtime;

/// <summary>Where a message comes from.</summary>
internal interface IMessageSource
{
    string ShortName { get; }

    string FullName { get; }

    bool Verbose { get; }
}
