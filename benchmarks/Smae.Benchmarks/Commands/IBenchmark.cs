namespace Smae.Benchmarks;

/// <summary>A command that measures something.</summary>
internal interface IBenchmark
{
    string Name { get; }

    /// <summary>What it measures, in a line.</summary>
    string Description { get; }

    /// <summary>Measures, prints and reports.</summary>
    void Run(BenchmarkContext context);
}
